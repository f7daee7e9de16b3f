"""Where programs keep their models, on each system and by each environment: pure functions of both."""

from __future__ import annotations

from pathlib import PurePath, PurePosixPath, PureWindowsPath

import pytest

from playground.models.disk import places
from playground.models.disk.places import Machine

_LINUX = PurePosixPath("/home/u")
_MAC = PurePosixPath("/Users/u")
_WINDOWS = PureWindowsPath(r"C:\Users\u")


def _linux(**variables: str) -> Machine:
    return Machine("linux", _LINUX, variables)


def _mac(**variables: str) -> Machine:
    return Machine("darwin", _MAC, variables)


def _windows(**variables: str) -> Machine:
    return Machine("win32", _WINDOWS, variables)


@pytest.mark.parametrize(
    ("machine", "path"),
    [
        (_linux(), "/home/u/.cache/huggingface/hub"),
        (_linux(XDG_CACHE_HOME="/c"), "/c/huggingface/hub"),
        (_linux(HF_HOME="/big/hf", XDG_CACHE_HOME="/c"), "/big/hf/hub"),
        (_linux(HF_HOME="~/hf"), "/home/u/hf/hub"),
        (_linux(HF_HOME="$BIG/hf", BIG="/mnt"), "/mnt/hf/hub"),
        (_linux(HUGGINGFACE_HUB_CACHE="/old", HF_HOME="/hf"), "/old"),
        (_linux(HF_HUB_CACHE="/new", HUGGINGFACE_HUB_CACHE="/old"), "/new"),
        (_linux(HF_HUB_CACHE="  "), "/home/u/.cache/huggingface/hub"),
        (_mac(), "/Users/u/.cache/huggingface/hub"),
        (_windows(), r"C:\Users\u\.cache\huggingface\hub"),
        (_windows(HF_HOME=r"D:\hf"), r"D:\hf\hub"),
    ],
)
def test_the_hub_cache(machine: Machine, path: str) -> None:
    assert str(places.hub_cache(machine)) == path


@pytest.mark.parametrize(
    ("machine", "path"),
    [
        (_linux(), "/home/u/.cache/llama.cpp"),
        (_linux(XDG_CACHE_HOME="/c"), "/c/llama.cpp"),
        (_linux(LLAMA_CACHE="/l"), "/l"),
        (_mac(), "/Users/u/Library/Caches/llama.cpp"),
        (_windows(), r"C:\Users\u\AppData\Local\llama.cpp"),
        (_windows(LOCALAPPDATA=r"D:\Local"), r"D:\Local\llama.cpp"),
    ],
)
def test_llama_cpp(machine: Machine, path: str) -> None:
    assert str(places.llama_cpp(machine)) == path


@pytest.mark.parametrize(
    ("machine", "paths"),
    [
        (_linux(), ["/home/u/.ollama/models", "/usr/share/ollama/.ollama/models"]),
        (_linux(OLLAMA_MODELS="/o"), ["/o", "/usr/share/ollama/.ollama/models"]),
        (_mac(), ["/Users/u/.ollama/models"]),
        (_windows(), [r"C:\Users\u\.ollama\models"]),
        (_windows(OLLAMA_MODELS=r"D:\o"), [r"D:\o"]),
    ],
)
def test_ollama(machine: Machine, paths: list[str]) -> None:
    assert [str(path) for path in places.ollama(machine)] == paths


@pytest.mark.parametrize(
    ("machine", "paths"),
    [
        (_linux(), ["/home/u/.config/Jan/data", "/home/u/.local/share/Jan/data"]),
        (_linux(XDG_CONFIG_HOME="/x", XDG_DATA_HOME="/d"), ["/x/Jan/data", "/d/Jan/data"]),
        (_mac(), ["/Users/u/Library/Application Support/Jan/data"]),
        (_windows(), [r"C:\Users\u\AppData\Roaming\Jan\data"]),
        (_windows(APPDATA=r"D:\Roaming"), [r"D:\Roaming\Jan\data"]),
    ],
)
def test_jan(machine: Machine, paths: list[str]) -> None:
    assert [str(path) for path in places.jan(machine)] == paths


@pytest.mark.parametrize(
    ("machine", "path"),
    [
        (_linux(), "/home/u/.local/share/nomic.ai/GPT4All"),
        (_linux(XDG_DATA_HOME="/d"), "/d/nomic.ai/GPT4All"),
        (_mac(), "/Users/u/Library/Application Support/nomic.ai/GPT4All"),
        (_windows(), r"C:\Users\u\AppData\Local\nomic.ai\GPT4All"),
    ],
)
def test_gpt4all(machine: Machine, path: str) -> None:
    assert str(places.gpt4all(machine)) == path


@pytest.mark.parametrize("machine", [_linux(), _mac(), _windows()])
def test_lm_studio_is_in_the_home_on_all_systems(machine: Machine) -> None:
    newer, older = places.lm_studio(machine)
    assert newer == machine.home / ".lmstudio" / "models"
    assert older == machine.home / ".cache" / "lm-studio" / "models"


def test_the_hub_cache_is_where_the_hub_s_library_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library reads the environment when it is imported, so it is asked in a fresh interpreter."""
    import os
    import subprocess
    import sys

    variants: list[dict[str, str]] = [
        {},
        {"XDG_CACHE_HOME": "/x"},
        {"HF_HOME": "~/hf/$SUB", "SUB": "s"},
        {"HF_HUB_CACHE": "/h", "HF_HOME": "/other"},
    ]
    for variant in variants:
        for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        environment = {**os.environ, "HOME": "/home/u", **variant}
        code = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE)"
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        mine: PurePath = places.hub_cache(Machine("linux", _LINUX, environment))
        assert str(mine) == done.stdout.strip()
