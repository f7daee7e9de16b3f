"""Decoding and prompt reading against a peer: llama.cpp's own server, in-process through the package xllamacpp.

Run: python -m tests.benchmarks.peer [pairs] [--tokens N] [--depth N]

The same GGUF, threads, batch and cache sizes, greedy, in alternating pairs; each side's own clock. The peer's wheel
is built for AVX2 and has a newer llama.cpp, ours is built for this processor: read the ratio as what a user gets, not as
a ratio of code. Needs the optional starter model and xllamacpp.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import msgspec

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.engines.process import EngineProcess
from playground.models import hardware, starter
from tests.benchmarks import result

_CONTEXT_TOKENS = 4096
_PEER = """
import json, sys
import xllamacpp
path, threads, context, prompt, tokens = sys.argv[1:6]
params = xllamacpp.CommonParams()
params.model.path = path
params.n_ctx, params.n_batch, params.n_ubatch, params.n_parallel = int(context), 512, 512, 1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(threads)
params.n_gpu_layers, params.verbosity, params.warmup = 0, -1, False
server = xllamacpp.Server(params)
asked = {"prompt": prompt, "n_predict": int(tokens), "temperature": 0, "cache_prompt": False, "timings_per_token": True}
server.handle_completions({**asked, "n_predict": 4})
answer = server.handle_completions(asked)
sys.stdout.write("\\n" + json.dumps({"timings": answer.get("timings"), "usage": answer["usage"]}) + "\\n")
"""


def main() -> None:
    """Print the ratios ours / theirs."""
    parser = result.arguments(__doc__)
    parser.add_argument("pairs", type=int, nargs="?", default=5)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--depth", type=int, default=1024)
    given = parser.parse_args()
    prompt = " ".join(["number"] * given.depth)
    threads = hardware.physical_cores()
    pairs = [
        (asyncio.run(_ours(prompt, given.tokens, threads)), _theirs(prompt, given.tokens, threads))
        for _ in range(given.pairs)
    ]
    assert __spec__ is not None
    figures = {
        "threads": threads,
        "prompt": result.ratio([(ours[0], theirs[0]) for ours, theirs in pairs]),
        "decode": result.ratio([(ours[1], theirs[1]) for ours, theirs in pairs]),
    }
    result.write("against xllamacpp", __spec__.name, figures)


async def _ours(prompt: str, tokens: int, threads: int) -> tuple[float, float]:
    """Return tokens per second of the prompt and of decoding."""
    engine = EngineProcess()
    options = AnswerOptions(Sampling(temperature=0), max_tokens=tokens)
    try:
        await engine.start()
        await engine.load(
            starter.assemble(), LoadOptions(n_ctx=_CONTEXT_TOKENS), threads, lambda _fraction: None
        )
        warm = msgspec.structs.replace(options, max_tokens=4)
        for text, asked in (("warm up", warm), (prompt, options)):
            talk = Conversation().with_user(text)
            finished = await engine.generate(talk.messages(), asked, threads, lambda _event: None)
    finally:
        await engine.close()
    timings = finished.timings
    return timings.prompt_tokens_per_s or 0.0, timings.decode_tokens_per_s or 0.0


def _theirs(prompt: str, tokens: int, threads: int) -> tuple[float, float]:
    command = [sys.executable, "-c", _PEER, str(starter.assemble()), str(threads), str(_CONTEXT_TOKENS)]
    done = subprocess.run([*command, prompt, str(tokens)], capture_output=True, text=True, check=True)
    timings = json.loads(done.stdout.strip().splitlines()[-1])["timings"]
    return timings["prompt_per_second"], timings["predicted_per_second"]


if __name__ == "__main__":
    main()
