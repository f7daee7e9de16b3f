"""What may be imported where, seen in fresh interpreters: a static graph cannot see deferred imports."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import playground

_HEAVY = {"PySide6", "qasync", "llama_cpp", "numpy", "huggingface_hub", "httpx2"}
_QT_ROOMS = ("playground.ui", "playground.app")
_WORKER_ONLY = ("playground.engines.llama",)


def _imported_by(modules: list[str]) -> set[str]:
    code = (
        "import importlib, json, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def _modules() -> list[str]:
    found = pkgutil.walk_packages(playground.__path__, "playground.")
    return [module.name for module in found if not module.name.startswith((*_QT_ROOMS, *_WORKER_ONLY))]


def test_modules_outside_the_window_import_neither_qt_nor_the_engine() -> None:
    modules = _modules()
    assert "playground.compare.run" in modules
    assert not _imported_by(modules) & _HEAVY


def test_the_start_imports_only_the_standard_library() -> None:
    loaded = _imported_by(["playground.__main__", "playground.preflight"])
    assert not loaded & (_HEAVY | {"msgspec", "psutil", "platformdirs", "jinja2"})


def test_only_one_file_names_llama_cpp() -> None:
    package = Path(playground.__file__).parent
    importers = {
        file.relative_to(package).as_posix()
        for file in package.rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith(("import llama_cpp", "from llama_cpp"))
        or 'import_module("llama_cpp' in line
    }
    assert importers == {"engines/llama/library.py"}
