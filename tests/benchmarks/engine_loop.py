"""The engine by itself, without pipe and client: what it takes from llama.cpp before anybody reads the answer.

Run by ``decode``: python -m tests.benchmarks.engine_loop MODEL PROMPT_FILE TOKENS THREADS CONTEXT SEED, as the native
loop is; prints its clock as one JSON line.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.engines.llama import library
from playground.engines.protocol import Generate
from playground.errors import EngineError


def main() -> None:
    """Answer once."""
    library.start()
    from playground.engines.llama.abort import AbortFlag
    from playground.engines.llama.engine import Callbacks, Engine
    from playground.engines.llama.job import Job

    model, prompt = Path(sys.argv[1]), Path(sys.argv[2]).read_text(encoding="utf-8")
    tokens, threads, n_ctx, seed = (int(text) for text in sys.argv[3:7])
    done: list[Job] = []
    text: list[str] = []

    def fail(_request: int, error: EngineError) -> None:
        raise SystemExit(error.sentence())

    def hear(answer: str, _reasoning: str, _tokens: int, _decode_s: float) -> None:
        text.append(answer)

    options = LoadOptions(n_ctx=n_ctx, gpu_layers="none")
    callbacks = Callbacks(lambda _job, _read: None, done.append, fail)
    engine = Engine(model, options, None, threads, AbortFlag(), callbacks, lambda _fraction: None)
    gc.collect()
    gc.freeze()
    messages = Conversation().with_user(prompt).messages()
    answer = AnswerOptions(Sampling(seed=seed), max_tokens=tokens)
    engine.begin(Generate(1, messages, answer, threads), time.perf_counter(), lambda _sample: hear)
    while engine.scheduler.is_busy:
        engine.scheduler.step()
    usage, timings = done[0].usage(), done[0].timings(engine.scheduler.totals)
    said = {
        "prompt_tokens": usage.prompt_tokens,
        "tokens": usage.completion_tokens,
        "prompt_s": timings.prompt_s,
        "decode_s": timings.decode_s,
        "chars": sum(map(len, text)),
    }
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    engine.close()


if __name__ == "__main__":
    main()
