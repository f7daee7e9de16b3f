"""Model files that change under a loaded model, cannot be read, or are no files at all."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.engines.child import worker_command
from playground.engines.process import EngineProcess
from playground.errors import EngineError, ErrorKind, ModelError
from playground.models.gguf import read_header
from playground.models.library import describe
from playground.models.reference import Reference, resolve
from tests.support.engines import answered, asked, loaded_engine
from tests.support.tiny_gguf import build

_ROOT = Path(__file__).parents[2]
_SHORT = AnswerOptions(Sampling(temperature=0), 8)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build("qwen3", tmp_path / "qwen3.gguf")


def _cut(path: Path) -> None:
    os.truncate(path, 4096)


def _overwrite(path: Path) -> None:
    path.write_bytes(b"\xff" * 4096)


@pytest.mark.skipif(sys.platform != "linux", reason="SIGBUS is how POSIX systems tell of a cut file")
@pytest.mark.parametrize("change", [_cut, _overwrite])
def test_a_file_cut_while_it_is_mapped_is_named_as_the_cause(
    model: Path, change: Callable[[Path], None]
) -> None:
    copy = model.read_bytes()

    async def scenario() -> None:
        engine = await loaded_engine(model, LoadOptions(n_ctx=256))
        try:
            await asyncio.to_thread(change, model)
            with pytest.raises(EngineError) as caught:
                await answered(engine, asked("Hello"), _SHORT)
            assert caught.value.kind is ErrorKind.CRASHED
            assert "SIGBUS" in caught.value.message
            assert "changed or cut" in caught.value.hint
        finally:
            await engine.close()
        await asyncio.to_thread(model.write_bytes, copy)
        engine = await loaded_engine(model, LoadOptions(n_ctx=256))
        await answered(engine, asked("Hello"), _SHORT)
        await engine.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("mmap", [True, False])
def test_a_file_that_is_deleted_or_replaced_stays_loaded(model: Path, mmap: bool) -> None:
    other = build("llama", model.with_name("other.gguf"))

    async def scenario() -> None:
        engine = await loaded_engine(model, LoadOptions(n_ctx=256, mmap=mmap))
        try:
            before, _, _ = await answered(engine, asked("Hello"), _SHORT)
            await asyncio.to_thread(other.replace, model)
            after, _, _ = await answered(engine, asked("Hello"), _SHORT)
            await asyncio.to_thread(model.unlink)
            last, _, _ = await answered(engine, asked("Hello"), _SHORT)
            assert before == after == last
        finally:
            await engine.close()

    asyncio.run(scenario())


def test_without_mapping_a_cut_file_does_no_harm(model: Path) -> None:
    async def scenario() -> None:
        engine = await loaded_engine(model, LoadOptions(n_ctx=256, mmap=False))
        try:
            await asyncio.to_thread(_cut, model)
            _, _, finished = await answered(engine, asked("Hello"), _SHORT)
            assert finished.usage.completion_tokens > 0
        finally:
            await engine.close()

    asyncio.run(scenario())


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def _to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


_NO_FILES: dict[str, Callable[[Path], None]] = {
    "a named pipe": _fifo,
    "a socket": _socket,
    "a folder": Path.mkdir,
    "zeros for ever": _to("/dev/zero"),
    "nothing": _to("/dev/null"),
    "a link to itself": _to("odd.gguf"),
    "a link to nowhere": _to("/no/such/file.gguf"),
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files on this system")
@pytest.mark.parametrize("make", _NO_FILES.values(), ids=_NO_FILES.keys())
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "odd.gguf"
    make(path)
    for read in (read_header, describe, lambda path: resolve(Reference("path", str(path)))):
        with pytest.raises(ModelError) as caught:
            read(path)
        assert "odd.gguf" in caught.value.message
    command = [
        sys.executable,
        "-m",
        "playground",
        "compare",
        "--model",
        str(path),
        "--prompt",
        "Hi",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=_ROOT, timeout=60, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr

    async def scenario() -> None:
        with pytest.raises(EngineError) as caught:
            await loaded_engine(path)
        assert caught.value.kind in (ErrorKind.NOT_FOUND, ErrorKind.LOAD_FAILED)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "name", ["a\0b.gguf", "half \ud800.gguf", "x" * 5000 + ".gguf", "~nobody-at-all/x.gguf", "\n"]
)
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError):
        resolve(Reference("path", str(tmp_path / name)))
    with pytest.raises(ModelError):
        resolve(Reference("path", name))

    async def scenario() -> None:
        with pytest.raises(EngineError):
            await loaded_engine(tmp_path / name)

    asyncio.run(scenario())


def test_a_file_name_that_is_no_text_is_told(model: Path) -> None:
    odd = model.with_name(os.fsdecode(b"caf\xe9.gguf"))
    model.rename(odd)
    assert describe(odd).arch == "qwen3"

    async def scenario() -> None:
        with pytest.raises(EngineError) as caught:
            await loaded_engine(odd)
        assert caught.value.kind is ErrorKind.LOAD_FAILED
        assert "name" in caught.value.hint

    asyncio.run(scenario())


_IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
# Root reads everything unless it gives up the right to.
_AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if _IS_ROOT else []


@pytest.mark.skipif(
    os.name != "posix" or (_IS_ROOT and not shutil.which("setpriv")), reason="no way to be refused"
)
def test_a_file_that_may_not_be_read_is_told(model: Path) -> None:
    model.chmod(0)
    arguments = ["-m", "playground", "compare", "--model", str(model), "--prompt", "Hi"]
    command = [*_AS_ANYBODY, sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=_ROOT, timeout=60, check=False)
    assert done.returncode == 1
    assert f"{model} cannot be read: Permission denied. Check its permissions." in done.stderr

    async def scenario() -> None:
        engine = EngineProcess([*_AS_ANYBODY, *worker_command()])
        try:
            await engine.start()
            with pytest.raises(EngineError) as caught:
                await engine.load(model, LoadOptions(), 1, lambda _fraction: None)
            assert caught.value.kind is ErrorKind.LOAD_FAILED
            assert "ermission" in caught.value.sentence()
        finally:
            await engine.close()

    asyncio.run(scenario())
