"""``playground compare``: one prompt, one to eight models, the same walk as in the window."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from playground.chat.messages import Conversation
from playground.chat.options import MTP, AnswerOptions, LoadOptions
from playground.cli import output
from playground.cli.parser import MAX_MODELS
from playground.compare import prompts
from playground.compare.events import (
    Lane,
    LaneDone,
    LaneError,
    LaneResult,
    LaneStage,
    LaneText,
    Plan,
    Planned,
    Stage,
)
from playground.compare.prepare import prepare
from playground.compare.report import report
from playground.compare.run import Comparison, lane_error
from playground.compare.verdict import sentence
from playground.engines.pool import EnginePool
from playground.engines.protocol import MemoryUse, Timings, Usage
from playground.errors import PlaygroundError, UsageError
from playground.models import hardware
from playground.models.catalog.recommended import recommended
from playground.models.files import ModelFile

_PROMPT_LIMIT_BYTES = 16 << 20
_WORDS = {
    Stage.QUEUED: "queued",
    Stage.LOADING: "loading",
    Stage.WAITING: "loaded",
    Stage.READING: "reading the prompt",
    Stage.ANSWERING: "answering",
}


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked."""

    id: str | None
    text: str
    completion: str | None
    system: str


def compare(arguments: argparse.Namespace) -> int:
    """Run the comparison and return 0 when every lane answered, 1 otherwise. Raises UsageError."""
    if len(arguments.models) > MAX_MODELS:
        raise UsageError(
            f"{len(arguments.models)} models are too many.", hint=f"Compare at most {MAX_MODELS}."
        )
    question = _question(arguments)
    load, answer = _options(arguments)
    return asyncio.run(_compare(arguments, question, load, answer))


def _question(arguments: argparse.Namespace) -> _Question:
    if arguments.prompt_id:
        prompt = prompts.by_id(arguments.prompt_id)
        return _Question(prompt.id, prompt.text, prompt.completion, arguments.system)
    text = arguments.prompt if arguments.prompt is not None else _file(arguments.prompt_file)
    if not text.strip():
        raise UsageError("The prompt is empty.", hint="Write what the models should do.")
    return _Question(None, text, None, arguments.system)


def _file(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read(_PROMPT_LIMIT_BYTES + 1) if name == "-" else _read(Path(name))
    except OSError as error:
        raise UsageError(
            f"The file {name} cannot be read: {error.strerror}.", hint="Check the path."
        ) from error
    if len(raw) > _PROMPT_LIMIT_BYTES:
        raise UsageError(f"The file {name} is larger than 16 MiB.", hint="Shorten it.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"The file {name} is not UTF-8 text.", hint="Save it as UTF-8.") from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_PROMPT_LIMIT_BYTES + 1)


def _options(arguments: argparse.Namespace) -> tuple[LoadOptions, AnswerOptions]:
    files = {"grammar": arguments.grammar_file, "json_schema": arguments.json_schema_file}
    sampling = {name: _file(file) for name, file in files.items() if file}
    for name in ("temperature", "seed"):
        if getattr(arguments, name) is not None:
            sampling[name] = getattr(arguments, name)
    load = {
        "n_ctx": arguments.ctx,
        "gpu_layers": arguments.gpu_layers,
        "threads": arguments.threads,
        "devices": arguments.device,
        "tensor_split": _shares(arguments.tensor_split),
        "cpu_experts": arguments.cpu_experts,
        "kv_offload": not arguments.no_kv_offload,
        "flash_attention": arguments.flash_attention,
        "kv_type": arguments.kv_type,
        "draft": arguments.draft,
        "template": _file(arguments.template_file) if arguments.template_file else None,
    }
    answer = {
        "sampling": sampling,
        "max_tokens": arguments.max_tokens,
        "thinking": None if arguments.thinking is None else arguments.thinking == "on",
        "reasoning_budget": arguments.reasoning_budget,
        "reasoning_effort": arguments.reasoning_effort,
        "context_shift": arguments.context_shift,
    }
    try:
        return msgspec.convert(load, LoadOptions), msgspec.convert(answer, AnswerOptions)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("$.")[2].strip("`").rpartition(".")[2]
        what = str(error).split(" - ")[0].lower().replace("`", "")
        raise UsageError(f"The option {_option(name)} is not usable: {what}.", hint="See --help.") from error


def _shares(text: str | None) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError as error:
        raise UsageError(
            f"The option --tensor-split is not usable: {text!r} is no list of numbers.",
            hint="Write it as 3,1.",
        ) from error


def _option(name: str) -> str:
    return "--ctx" if name == "n_ctx" else f"--{name.partition('[')[0].replace('_', '-')}"


async def _compare(
    arguments: argparse.Namespace, question: _Question, load: LoadOptions, answer: AnswerOptions
) -> int:
    conversation = Conversation(question.system).with_user(question.text, question.completion)
    pool = EnginePool(hardware.physical_cores())
    looking = asyncio.create_task(pool.known_devices())  # while the models are being prepared
    try:
        if load.draft not in ("", MTP):
            draft = await prepare(load.draft, lambda what, fraction: output.status(f"{what} {fraction:.0%}"))
            load = msgspec.structs.replace(load, draft=draft.path)
        lanes, failed = await _lanes(arguments.models, conversation, load, answer)
        if arguments.recommended:
            lanes = [_as_recommended(lane, arguments) for lane in lanes]
        plan, results = await _run(lanes, arguments.plan, pool)
    finally:
        await looking
        await pool.close()
    results = sorted([*failed, *results], key=lambda result: result.slot)
    _show(arguments.json, question, plan, results)
    return 0 if all(result.error is None and result.stop != "cancelled" for result in results) else 1


async def _lanes(
    refs: list[str], conversation: Conversation, load: LoadOptions, answer: AnswerOptions
) -> tuple[list[Lane], list[LaneResult]]:
    """Return the lanes whose models are there, and the results of those that are not. Raises UsageError."""
    lanes: list[Lane] = []
    failed: list[LaneResult] = []
    for slot, ref in zip("ABCDEFGH", refs, strict=False):
        try:
            model = await prepare(ref, lambda what, fraction: output.status(f"{what} {fraction:.0%}"))
        except UsageError:
            raise
        except PlaygroundError as error:
            failed.append(_failed(slot, ref, lane_error(error), load, answer))
            output.say(f"{slot}: {error.sentence()}")
            continue
        lanes.append(Lane(slot, model, conversation, load, answer))
    return lanes, failed


def _as_recommended(lane: Lane, arguments: argparse.Namespace) -> Lane:
    """Return a lane that samples as its model's publisher recommends; what was named on the command line stays."""
    answer = lane.answer
    sampling = recommended(lane.model, answer.sampling, answer.thinking)
    if arguments.temperature is not None:
        sampling = msgspec.structs.replace(sampling, temperature=arguments.temperature)
    return msgspec.structs.replace(lane, answer=msgspec.structs.replace(answer, sampling=sampling))


async def _run(lanes: list[Lane], wanted: str, pool: EnginePool) -> tuple[Plan | None, list[LaneResult]]:
    if not lanes:
        return None, []
    run = Comparison(lanes, wanted, pool)  # type: ignore[arg-type]
    loop = asyncio.get_running_loop()
    if hasattr(signal, "SIGINT") and sys.platform != "win32":
        loop.add_signal_handler(signal.SIGINT, run.stop)
    plan: Plan | None = None
    results = []
    async for event in run.events():
        if isinstance(event, Planned):
            plan = event.plan
            output.say(plan.reason)
        elif isinstance(event, LaneStage):
            share = f" {event.fraction:.0%}" if event.fraction is not None else ""
            output.status(f"{event.slot}: {_WORDS[event.stage]}{share}")
        elif isinstance(event, LaneText):
            output.status(f"{event.slot}: {event.tokens} tokens")
        elif isinstance(event, LaneDone):
            results.append(event.result)
            _say_result(event.result)
    return plan, results


def _say_result(result: LaneResult) -> None:
    output.status("")
    if result.error is not None:
        output.say(f"{result.slot}: {result.error.message} {result.error.hint}".rstrip())
        return
    speed = result.timings.decode_tokens_per_s
    shown = f", {speed:.1f} tokens/s{' (shared)' if result.shared else ''}" if speed else ""
    base = ", base model: plain completion prompt" if result.model.is_base else ""
    output.say(
        f"{result.slot}: {result.model.name} {result.model.quant}: {result.usage.completion_tokens} tokens"
        f"{shown}, {result.memory.peak_bytes / 1e9:.2f} GB, stopped by: {result.stop}{base}"
    )


def _show(as_json: bool, question: _Question, plan: Plan | None, results: list[LaneResult]) -> None:
    if as_json:
        asked = {"id": question.id, "text": question.text, "system": question.system or None}
        output.json_data(report(asked, plan, results))
        return
    for result in results:
        if result.error is None:
            title = f"{result.slot} · {result.model.name} {result.model.quant}"
            output.data(f"\n━━ {title} ━━\n\n{result.answer}\n")
    if text := sentence(results):
        output.say(f"\n{text}")


def _failed(slot: str, ref: str, error: LaneError, load: LoadOptions, answer: AnswerOptions) -> LaneResult:
    model = ModelFile(ref, "", ref, 0, "", "", 0, 0, is_base=False)
    return LaneResult(
        slot, model, "", "", "error", error, Usage(), Timings(), MemoryUse(), load, answer, 0, shared=False
    )
