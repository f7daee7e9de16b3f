"""llama.cpp through llama-cpp-python's low-level ctypes layer. Runs in a worker process only.

``library`` is the one file that imports ``llama_cpp``; the others take its symbols from there.
"""
