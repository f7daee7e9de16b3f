"""Runs one Bash script with its files and its standard input, and says what it printed and left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from playground.bench.sandbox.inside.walls import put_up
from playground.bench.sandbox.inside.wire import Channel

TYPE_CHECKING = False  # typing itself takes time to import
if TYPE_CHECKING:
    from playground.bench.sandbox.inside.wire import Value

_SET_DUMPABLE = 4


def _hide() -> None:
    """Keep the script from opening this process's descriptors through /proc."""
    import ctypes

    ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def _content(path: Path, most_bytes: int) -> Value:
    """Return a regular file's text, None where there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        if not path.is_file():
            return None
        return file.read(most_bytes).decode("utf-8", "replace")


def _printed(process: Value, most_bytes: int) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    size = 0
    while part := process.stdout.read1(1 << 16):
        size += len(part)
        if size > most_bytes:
            return b"".join(parts), True
        parts.append(part)
    return b"".join(parts), False


def main(config: Value) -> None:
    """Set the walls, lay out the files, run the script, report."""
    channel = Channel()
    base = Path(config["scratch"])
    work, script, given = base / "work", base / "script.sh", base / "stdin"
    work.mkdir()
    script.write_text(config["code"], encoding="utf-8", errors="surrogatepass")
    given.write_text(config["stdin"], encoding="utf-8", errors="surrogatepass")
    for name, text in config["files"].items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
    put_up(config)
    _hide()
    channel.send({"ready": 1})
    command = [config["bash"], "--norc", "--noprofile", str(script)]
    environment = {**os.environ, "HOME": str(work), "TMPDIR": str(base)}
    with given.open("rb") as stdin:
        process = subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=sys.stderr, cwd=work, env=environment
        )
    printed, is_too_much = _printed(process, config["output_bytes"])
    channel.send(
        {
            "id": config["id"],
            "stdout": printed.decode("utf-8", "replace"),
            "too_much": is_too_much,
            "status": None if is_too_much else process.wait(),
            "after": {name: _content(work / name, config["output_bytes"]) for name in config["after"]},
        }
    )
    channel.receive()
