"""A worker that writes a given text at a given speed over the real protocol, in place of a model.

The prompt says what: ``1000 tokens of prose at 100 tokens/s`` or ``... of code ...``. One token is four characters.
Run as a script by an EnginePool.
"""

from __future__ import annotations

import math
import os
import re
import sys
import time
from collections.abc import Iterator

from playground.engines import protocol
from playground.engines.protocol import (
    Chunk,
    Describe,
    Description,
    Device,
    Event,
    Finished,
    Generate,
    Hello,
    Load,
    Loaded,
    LoadedModel,
    MemoryUse,
    PromptProgress,
    SetThreads,
    ThreadsSet,
    Timings,
    Usage,
)
from playground.engines.worker import BATCH_S

CHARACTERS_PER_TOKEN = 4
_CPU = Device("CPU", "scripted", "cpu", 1 << 34, 1 << 34)
_ORDER = re.compile(r"(\d+) tokens of (prose|code) at (\d+) tokens/s")
_MODEL = LoadedModel(65536, 65536, 1, 0, is_base=False, thinks=False, description="scripted")

_PROSE = (
    "## Step {n}: reading the file\n\n"
    "The function opens the file *once* and walks over its lines, so the memory it needs **does not depend** on the "
    "size of the file. Note that `str.splitlines` also cuts at `\\x0b` and `\\x0c`, which is [rarely wanted]"
    "(https://example.org/{n}); iterating over the file object cuts at newlines only.\n\n"
    "- `read_rows(path)` returns an iterator of tuples\n- it raises `ValueError` with the line's number\n"
    "  - the message names the *column*, too\n- an empty file gives no rows\n\n"
    "```python\ndef read_rows(path: Path) -> Iterator[tuple[str, ...]]:\n"
    '    """Yield the rows of a file, without blank lines."""\n    with path.open(encoding="utf-8") as file:\n'
    "        for number, line in enumerate(file, start={n}):\n            if line.strip():\n"
    '                yield tuple(line.rstrip("\\n").split("\\t"))  # {n}\n```\n\n'
    "1. First call it with a path.\n2. Then sum the second column, as in step {n}.\n\n"
    "| case | rows | time |\n|---|---:|---|\n| empty | 0 | `0.1 ms` |\n| small | {n} | `1.5 ms` |\n"
    "| large | 1,000,{n} | `840 ms` |\n\n"
    "> A quoted remark: the figures are medians of seven runs.\n\n"
)
_CODE = (
    "def step_{n}(values: list[int], limit: int = {n}) -> dict[str, float]:\n"
    '    """Return the mean and the spread of the values below a limit."""\n'
    "    kept = [value for value in values if value < limit]  # the limit itself is left out\n"
    "    if not kept:\n"
    '        raise ValueError(f"no value below {{limit}} among {{len(values)}}")\n'
    "    mean = sum(kept) / len(kept)\n"
    "    spread = (sum((value - mean) ** 2 for value in kept) / len(kept)) ** 0.5\n"
    '    return {{"mean": mean, "spread": spread, "count": float(len(kept))}}\n\n\n'
)


def _text(kind: str, characters: int) -> str:
    pattern, head = (_PROSE, "") if kind == "prose" else (_CODE, "```python\n")
    length = len(pattern.format(n=1))
    parts = [pattern.format(n=number) for number in range(1, characters // length + 2)]
    return (head + "".join(parts))[:characters]


def _batches(tokens: int, per_s: float) -> Iterator[tuple[int, float]]:
    """Yield (tokens so far, seconds): batches of whole tokens, as a worker makes them of a model's."""
    started = time.perf_counter()
    step = math.ceil(BATCH_S * per_s)
    for done in (*range(step, tokens, step), tokens):
        time.sleep(max(0.0, started + done / per_s - time.perf_counter()))
        yield done, done / per_s


def _answer(request: Generate) -> Iterator[Event]:
    match = _ORDER.search(request.messages[-1].text)
    if match is None:
        raise SystemExit("the prompt is no order")
    tokens, per_s = int(match[1]), float(match[3])
    text = _text(match[2], tokens * CHARACTERS_PER_TOKEN)
    yield PromptProgress(request.id, 8, 8)
    place, decode_s = 0, 0.0
    for done, decode_s in _batches(tokens, per_s):
        end = done * CHARACTERS_PER_TOKEN
        yield Chunk(request.id, text[place:end], "", done, decode_s)
        place = end
    timings = Timings(first_token_s=0.01, decode_s=decode_s, decode_tokens_per_s=tokens / decode_s)
    yield Finished(request.id, "end", Usage(8, 0, tokens), timings, MemoryUse(resident_bytes=1 << 28))


def main() -> None:
    """Serve until stdin closes."""

    def say(event: Event) -> None:
        sys.stdout.buffer.write(protocol.encode(event))
        sys.stdout.buffer.flush()

    say(Hello(protocol.VERSION, os.getpid()))
    for line in sys.stdin.buffer:
        command = protocol.command_decoder.decode(line)
        if isinstance(command, Load):
            say(Loaded(_MODEL, MemoryUse(), 0.0))
        elif isinstance(command, Describe):
            say(Description("0", "scripted", gpu_offload=False, devices=(_CPU,)))
        elif isinstance(command, SetThreads):
            say(ThreadsSet(command.threads))
        elif isinstance(command, Generate):
            for event in _answer(command):
                say(event)


if __name__ == "__main__":
    main()
