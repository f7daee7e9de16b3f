"""How to get a llama.cpp with other devices: the command line that builds it. Pure functions."""

from __future__ import annotations

DISTRIBUTION = "llama-cpp-python"


def install_line(*switches: str) -> str:
    """Return the command that builds the installed version again with CMake switches on, such as ``GGML_CUDA``."""
    import importlib.metadata  # 16 ms that a worker's load need not wait for

    try:
        version = f"=={importlib.metadata.version(DISTRIBUTION)}"
    except importlib.metadata.PackageNotFoundError:
        version = ""
    arguments = " ".join(f"-D{switch}=on" for switch in switches)
    return f'CMAKE_ARGS="{arguments}" python3 -m pip install --force-reinstall --no-cache-dir --no-deps {DISTRIBUTION}{version}'
