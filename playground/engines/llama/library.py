"""The only importer of ``llama_cpp``: its low-level symbols and the native log.

Importing this module maps llama.cpp into the process, so only the worker process may do it. The package's own
``__init__`` (numpy, the high-level API, a start of 250 ms) is stepped around: a bare package module stands in
``sys.modules`` while ``llama_cpp.llama_cpp`` is imported (70 ms).
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import re
import sys
import types
from collections import deque
from pathlib import Path
from typing import Any

from playground.errors import EngineError, ErrorKind

DISTRIBUTION = "llama-cpp-python"
_LEVELS = {1: "DEBUG", 2: "INFO", 3: "WARN", 4: "ERROR"}
_ERROR_LEVEL, _CONTINUATION = 4, 5


def _import_low_level() -> Any:  # noqa: ANN401 -- a module without types
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.submodule_search_locations is None:
        raise EngineError(
            ErrorKind.LOAD_FAILED,
            f"The engine library {DISTRIBUTION} is not installed.",
            hint="Install Playground again with: python3 -m pip install local-model-playground",
        )
    if "llama_cpp" not in sys.modules:
        package = types.ModuleType("llama_cpp")
        package.__path__ = list(spec.submodule_search_locations)
        package.__spec__ = spec
        sys.modules["llama_cpp"] = package
    try:
        return importlib.import_module("llama_cpp.llama_cpp")
    except (OSError, RuntimeError, FileNotFoundError) as error:
        raise EngineError(
            ErrorKind.LOAD_FAILED,
            "The engine library llama.cpp cannot be loaded on this machine.",
            hint=f"Build it again here: python3 -m pip install --force-reinstall --no-cache-dir {DISTRIBUTION}",
            detail=str(error),
        ) from error


class NativeLog:
    """What llama.cpp says: the last lines for error causes, and a copy of each line on stderr.

    The callback comes from several threads and may bring a line in pieces.
    """

    def __init__(self, keep: int = 400) -> None:
        self.lines: deque[tuple[int, str]] = deque(maxlen=keep)
        self.sizes: list[str] = []  # lines about buffers, all of them since ``clear``
        self.on_line: Any = None
        self._open = ""
        self._level = 2

    def receive(self, level: int, text: str) -> None:
        """Take one piece of log. Called by the native callback."""
        if level != _CONTINUATION:
            self._level = level
        self._open += text
        *whole, self._open = self._open.split("\n")
        for line in whole:
            self._line(line.rstrip())

    def _line(self, line: str) -> None:
        if not line:
            return
        self.lines.append((self._level, line))
        if "buffer size" in line:
            self.sizes.append(line)
        if self._level >= 2 and not set(line) <= {"."}:
            sys.stderr.write(f"{_LEVELS.get(self._level, 'INFO')} {line}\n")
        if self.on_line is not None:
            self.on_line(line)

    def clear(self) -> None:
        """Forget what was said before the request that starts now."""
        self.lines.clear()
        self.sizes.clear()

    def errors(self) -> list[str]:
        """Return the error lines without the names of llama.cpp's functions."""
        found = [line for level, line in self.lines if level == _ERROR_LEVEL]
        return [re.sub(r"^(?:[\w:~<>]+: )+", "", line).strip() for line in found]


L = _import_low_level()
log = NativeLog()


@L.llama_log_callback  # type: ignore[untyped-decorator]
def _on_native_log(level: int, text: bytes, _user_data: object) -> None:
    log.receive(level, text.decode("utf-8", "replace"))


def start() -> None:
    """Capture the native log, load the CPU backends of a build that has several, start the backend."""
    L.llama_log_set(_on_native_log, None)
    L.llama_backend_init()
    if not symbol("ggml_backend_dev_count", ctypes.c_size_t, [])():
        _load_dynamic_backends()


def _load_dynamic_backends() -> None:
    # WORKAROUND: a build with GGML_BACKEND_DL loads no backend by itself
    # (https://github.com/abetlen/llama-cpp-python/issues/2069, retry above 0.3.36).
    import sysconfig

    folder = Path(sysconfig.get_path("purelib")) / "bin"
    load = symbol("ggml_backend_load_all_from_path", None, [ctypes.c_char_p])
    load(str(folder).encode())


def symbol(name: str, restype: Any, argtypes: list[Any]) -> Any:  # noqa: ANN401 -- ctypes
    """Bind a function of ggml through libllama's handle: a second CDLL would map a second, empty registry."""
    function = getattr(L._lib, name)  # noqa: SLF001 -- the only handle on the mapped library
    function.restype, function.argtypes = restype, argtypes
    return function


def binding_version() -> str:
    """Return the version of llama-cpp-python; its own module says it, without the cost of package metadata."""
    found = re.search(
        r'__version__ = "([^"]+)"', Path(L.__file__).with_name("__init__.py").read_text("utf-8")
    )
    return found[1] if found else "unknown"


def json_schema_to_gbnf(schema: str) -> str:
    """Return the grammar of a JSON schema. Raises whatever the binding's converter raises."""
    converter = importlib.import_module("llama_cpp.llama_grammar")
    return str(converter.json_schema_to_gbnf(schema))


def next_token_extension() -> Any:  # noqa: ANN401 -- a module without types
    """Return the binding's access to what llama.cpp keeps for prediction layers; not part of its public API."""
    return importlib.import_module("llama_cpp.llama_cpp_ext")
