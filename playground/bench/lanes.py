"""The lanes of a run: how each model is loaded and asked, the same for both. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from playground.bench.record import LaneInfo, RunSettings
from playground.bench.task import Task
from playground.chat.messages import Conversation, Message
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.models.files import ModelFile

MAX_PARALLEL = 64
_SEEDS = 1 << 31
_TEMPLATE_TOKENS = 256
_STEP_TOKENS = 256


def lane_infos(
    models: Sequence[ModelFile],
    tasks: Sequence[Task],
    settings: RunSettings,
    load: LoadOptions,
    temperature: float | None = None,
) -> tuple[LaneInfo, ...]:
    """Return a lane for each model, the compact one first; its hashes are filled in when the run begins.

    ``load.n_ctx`` is the context of one answer; None: what the longest prompt and answer take. ``temperature`` None:
    0 for one sample, else 0.7.
    """
    heat = temperature if temperature is not None else 0.7 if settings.samples > 1 else 0.0
    answer = AnswerOptions(
        Sampling(temperature=heat, seed=settings.seed),
        max_tokens=settings.max_tokens,
        thinking=settings.thinking,
    )
    return tuple(
        LaneInfo(slot, model, "", "", _load(model, tasks, settings, load), answer)
        for slot, model in zip("AB", models, strict=False)
    )


def parallel_answers(samples: int, wanted: int) -> int:
    """Return how many answers are decoded together: as wanted, else the samples of one task, at most 8.

    So one answer to each task has the whole machine: its speed is its own, and its text can be repeated exactly.
    """
    return max(1, min(MAX_PARALLEL, wanted or min(8, samples)))


def _load(model: ModelFile, tasks: Sequence[Task], settings: RunSettings, load: LoadOptions) -> LoadOptions:
    one = load.n_ctx or context_tokens(tasks, settings.max_tokens)
    if model.n_ctx_train:
        one = min(one, model.n_ctx_train)
    return msgspec.structs.replace(load, n_ctx=max(8, one * settings.parallel), sequences=settings.parallel)


def context_tokens(tasks: Sequence[Task], max_tokens: int) -> int:
    """Return a context that holds the longest prompt and an answer. A token is at least a byte of a prompt."""
    longest = max((max(len(t.prompt.encode()), len(t.completion.encode())) for t in tasks), default=0)
    needed = longest + _TEMPLATE_TOKENS + max_tokens
    return -(-needed // _STEP_TOKENS) * _STEP_TOKENS


def question(task: Task) -> tuple[Message, ...]:
    """Return what a model is asked: the prompt, for a base model the text that it goes on with."""
    return Conversation().with_user(task.prompt, task.completion or None).messages()


def task_seed(seed: int, task: str) -> int:
    """Return the seed of a task's first sample; the next ones count up. The same for all lanes."""
    digest = hashlib.sha256(f"{seed} {task}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big") % _SEEDS


def answer_options(lane: LaneInfo, settings: RunSettings, task: str, first: int, count: int) -> AnswerOptions:
    """Return how ``count`` samples of a task are drawn, from sample ``first`` on."""
    sampling = msgspec.structs.replace(lane.answer.sampling, seed=task_seed(settings.seed, task) + first)
    return msgspec.structs.replace(lane.answer, sampling=sampling, n=count)
