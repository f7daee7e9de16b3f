"""Loads a model with a placement, reads a fixed prompt and returns the logits behind it.

Run as a program it prints them: it maps llama.cpp, which only a process of its own may.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from playground.chat.options import LoadOptions
from playground.engines.child import worker_environment
from playground.engines.protocol import Placement, rpc_endpoints

_ROOT = Path(__file__).parents[2]
_PROMPT_TOKENS = range(5, 105)


class _Question(msgspec.Struct):
    path: str
    options: LoadOptions
    placement: Placement


def logits(path: Path, placement: Placement, options: LoadOptions | None = None) -> list[float]:
    """Return a logit for each token of the vocabulary."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.logits"],
        input=msgspec.json.encode(_Question(str(path), options or LoadOptions(), placement)),
        capture_output=True,
        cwd=_ROOT,
        env=worker_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return msgspec.json.decode(done.stdout, type=list[float])


def _main() -> None:
    from playground.engines.llama import devices, library
    from playground.engines.llama.context import Batch, Context
    from playground.engines.llama.library import L
    from playground.engines.llama.model import Model

    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=_Question)
    library.start()
    devices.add_rpc(rpc_endpoints(asked.placement.devices))
    model = Model(
        Path(asked.path),
        asked.options,
        asked.placement,
        on_progress=lambda _fraction: None,
        is_cancelled=lambda: False,
    )
    context = Context(model, asked.options, asked.placement, threads=1)
    batch = Batch(len(_PROMPT_TOKENS))
    for position, token in enumerate(_PROMPT_TOKENS):
        batch.add(token, position, 0, wants_logits=position == len(_PROMPT_TOKENS) - 1)
    context.evaluate(batch)
    found = L.llama_get_logits_ith(context.native, -1)[: model.n_vocab]
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    _main()
