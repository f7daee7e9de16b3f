"""Decoding and prompt reading through worker, pipe and client, against a C loop over the same libllama.so.

Run: python -m tests.benchmarks.decode [pairs] [--tokens N] [--depths N ...] [--threads N ...] [--unaligned]

Each run is a fresh process on either side; the sides alternate, and so does which goes first. ``worker`` is the
worker's own clock, ``client`` the clock of the process that asked (from the first piece of text to the last),
``alone`` the engine in a process of its own with nobody reading (engine_loop.py),
``per_cpu_s`` counts the worker's CPU time instead.
Both sides run with ``aligned_new.c`` preloaded unless ``--unaligned`` is given. Linux; needs gcc and the optional
starter model.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.engines.child import worker_environment
from playground.engines.process import EngineProcess
from playground.engines.protocol import Chunk, PromptProgress
from playground.models import hardware, starter
from tests.benchmarks import result

_CONTEXT_TOKENS = 8192
_SEED = 42
_MOST_SEEDS = 8
# Each word is one token; continued, the sentence does not come to an end.
_SENTENCE = "the program reads a list of numbers and prints the sum of the even ones then it reads the next"
_SHORT_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Case:
    """``depth``: tokens in memory before the first one is drawn, 0 for a short prompt."""

    depth: int
    threads: int
    tokens: int

    @property
    def prompt_tokens(self) -> int:
        """Return the length of the prompt, its start token included."""
        return self.depth or _SHORT_TOKENS

    def prompt(self) -> str:
        """Return a text of that many tokens."""
        return " ".join(itertools.islice(itertools.cycle(_SENTENCE.split()), self.prompt_tokens - 1))


@dataclass(frozen=True, slots=True)
class Speeds:
    """Tokens per second; ``decode_cpu``: per second of CPU time, which other programs hardly change."""

    prompt: float
    decode: float
    decode_cpu: float


@dataclass(frozen=True, slots=True)
class Pair:
    """The same work, measured four times in three processes."""

    native: Speeds
    alone: Speeds
    worker: Speeds
    client: Speeds


@dataclass(frozen=True, slots=True)
class Setting:
    """What both sides run with."""

    program: Path
    model: Path
    environment: dict[str, str]


def compiled(folder: Path) -> Path:
    """Compile the native loop against the installed llama.cpp."""
    spec = find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        raise SystemExit("llama-cpp-python is not installed")
    package = Path(spec.origin).parent
    include, libraries = package.parent / "include", package / "lib"
    if not (include / "llama.h").exists():
        raise SystemExit(f"llama-cpp-python came without {include / 'llama.h'}")
    program = folder / "native_loop"
    link = [f"-L{libraries}", "-l:libllama.so", f"-Wl,-rpath,{libraries}", f"-Wl,-rpath-link,{libraries}"]
    _gcc("native_loop.c", program, f"-I{include}", *link)
    return program


def environment(folder: Path, *, aligned: bool) -> dict[str, str]:
    """Return the worker's own environment, and with it where arrays begin in memory."""
    if not aligned:
        return worker_environment()
    library = folder / "aligned_new.so"
    _gcc("aligned_new.c", library, "-shared", "-fPIC")
    return {**worker_environment(), "LD_PRELOAD": str(library)}


def native(setting: Setting, case: Case, seed: int) -> Speeds:
    """Run the C loop once."""
    text = setting.program.with_name("prompt.txt")
    text.write_text(case.prompt(), encoding="utf-8")
    numbers = [str(number) for number in (case.tokens, case.threads, _CONTEXT_TOKENS, seed)]
    command = [str(setting.program), str(setting.model), str(text), *numbers]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=setting.environment)
    said = json.loads(done.stdout)
    _check_prompt(case, said["prompt_tokens"])
    steps = said["tokens"] - 1
    prompt = said["prompt_tokens"] / said["prompt_s"]
    return Speeds(prompt, steps / said["decode_s"], steps / said["decode_cpu_s"])


def alone(setting: Setting, case: Case, seed: int) -> Speeds:
    """Run the engine once, without pipe and client."""
    text = setting.program.with_name("prompt.txt")
    text.write_text(case.prompt(), encoding="utf-8")
    numbers = [str(number) for number in (case.tokens, case.threads, _CONTEXT_TOKENS, seed)]
    command = [sys.executable, "-m", "tests.benchmarks.engine_loop", str(setting.model), str(text), *numbers]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=setting.environment)
    said = json.loads(done.stdout.splitlines()[-1])
    _check_prompt(case, said["prompt_tokens"])
    decode = (said["tokens"] - 1) / said["decode_s"]
    return Speeds(said["prompt_tokens"] / said["prompt_s"], decode, decode)


async def ours(setting: Setting, case: Case, seed: int) -> tuple[Speeds, Speeds] | None:
    """Run the engine process once; None when the answer came to an end before its last token."""
    engine = EngineProcess(environment=setting.environment)
    heard: list[tuple[float, int]] = []
    first_cpu: list[float] = []

    def hear(event: PromptProgress | Chunk) -> None:
        if isinstance(event, Chunk):
            heard.append((time.perf_counter(), event.tokens))
            if not first_cpu:  # once: what the client computes here, the worker's threads lack
                first_cpu.append(_cpu_s(engine.pid))

    try:
        await engine.start()
        load = LoadOptions(n_ctx=_CONTEXT_TOKENS, gpu_layers="none")
        await engine.load(setting.model, load, case.threads, lambda _fraction: None)
        messages = Conversation().with_user(case.prompt()).messages()
        options = AnswerOptions(Sampling(seed=seed), max_tokens=case.tokens)
        asked = time.perf_counter()
        finished = await engine.generate(messages, options, case.threads, hear)
        last_cpu = _cpu_s(engine.pid)
    finally:
        await engine.close()
    _check_prompt(case, finished.usage.prompt_tokens - finished.usage.cached_tokens)
    if finished.usage.completion_tokens != case.tokens:
        return None
    prompt, decode = finished.timings.prompt_tokens_per_s, finished.timings.decode_tokens_per_s
    assert prompt is not None
    assert decode is not None
    (first_at, first), (last_at, last) = heard[0], heard[-1]
    steps, cpu = last - first, (last - first) / (last_cpu - first_cpu[0])
    client = Speeds(case.prompt_tokens / (first_at - asked), steps / (last_at - first_at), cpu)
    return Speeds(prompt, decode, cpu), client


def paired(setting: Setting, case: Case, number: int) -> Pair:
    """Run both sides one after the other; in every second pair ours goes first."""
    for seed in range(_SEED + number * _MOST_SEEDS, _SEED + (number + 1) * _MOST_SEEDS):
        theirs = native(setting, case, seed) if number % 2 == 0 else None
        mine = asyncio.run(ours(setting, case, seed))
        if mine is not None:
            by_itself = alone(setting, case, seed)
            return Pair(theirs or native(setting, case, seed), by_itself, *mine)
    raise SystemExit(f"no answer of {case.tokens} tokens with {_MOST_SEEDS} seeds")


def figures(case: Case, pairs: list[Pair]) -> dict[str, object]:
    """Return what a case came to: ratios of tokens per second, ours to native."""
    found: dict[str, object] = {
        "depth": case.depth,
        "threads": case.threads,
        "native_decode_tokens_per_s": round(statistics.median(p.native.decode for p in pairs), 1),
        "decode_alone": result.ratio([(p.alone.decode, p.native.decode) for p in pairs]),
        "decode_worker": result.ratio([(p.worker.decode, p.native.decode) for p in pairs]),
        "decode_client": result.ratio([(p.client.decode, p.native.decode) for p in pairs]),
        "decode_per_cpu_s": result.ratio([(p.worker.decode_cpu, p.native.decode_cpu) for p in pairs]),
    }
    if case.depth:
        found |= {
            "native_prompt_tokens_per_s": round(statistics.median(p.native.prompt for p in pairs), 1),
            "prompt_alone": result.ratio([(p.alone.prompt, p.native.prompt) for p in pairs]),
            "prompt_worker": result.ratio([(p.worker.prompt, p.native.prompt) for p in pairs]),
            "prompt_client": result.ratio([(p.client.prompt, p.native.prompt) for p in pairs]),
        }
    return found


def main() -> None:
    """Print one JSON line with the ratios of every case."""
    parser = result.arguments(__doc__)
    parser.add_argument("pairs", type=int, nargs="?", default=7)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--depths", type=int, nargs="+", default=[0, 2048])
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, hardware.physical_cores()}))
    parser.add_argument("--unaligned", action="store_true")
    wanted = parser.parse_args()
    cases = [Case(depth, threads, wanted.tokens) for depth in wanted.depths for threads in wanted.threads]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.setdefault("PLAYGROUND_HOME", name)
        around = environment(folder, aligned=not wanted.unaligned)
        setting = Setting(compiled(folder), starter.assemble(), around)
        pairs = measured(setting, cases, wanted.pairs)
    found = [figures(case, of_case) for case, of_case in pairs.items()]
    shared = {"tokens": wanted.tokens, "pairs": wanted.pairs, "aligned": not wanted.unaligned}
    result.write("decode", __spec__.name, {**shared, "cases": found})


def measured(setting: Setting, cases: list[Case], count: int) -> dict[Case, list[Pair]]:
    """Return pairs of every case, taken in turn so that the machine's moods meet all cases alike."""
    pairs: dict[Case, list[Pair]] = {case: [] for case in cases}
    for number in range(count):
        for case in cases:
            pairs[case].append(paired(setting, case, number))
        sys.stderr.write(f"{number + 1} of {count} pairs\n")
    return pairs


def _cpu_s(pid: int | None) -> float:
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


def _gcc(source: str, target: Path, *options: str) -> None:
    path = Path(__file__).with_name(source)
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", str(path), "-o", str(target), *options], check=True)


def _check_prompt(case: Case, tokens: int) -> None:
    if tokens != case.prompt_tokens:
        raise SystemExit(f"the prompt has {tokens} tokens instead of {case.prompt_tokens}")


if __name__ == "__main__":
    main()
