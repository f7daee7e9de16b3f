"""The words and figures of a lane: derived from its state, nothing else. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.engines.protocol import DeviceUse
    from playground.models.files import ModelFile
    from playground.ui.compare_state import CompareState, LaneState
    from playground.ui.services import MemoryReading

Pill = tuple[str, str]  # words, role in the style sheet
DASH = "–"
NO_MODEL: Pill = ("Choose a model", "plain")
NOTHING_LOADED = "No model loaded"
PLAN_TIP = "How the models share the machine"


def pill(lane: LaneState, other: LaneState | None = None) -> Pill:
    """Return the lane's state in words and how to colour it."""
    from playground.ui.compare_state import Phase

    if lane.stopping and lane.is_running:
        return "Stopping", "warn"
    share = f" {lane.fraction:.0%}" if lane.fraction is not None else ""
    waiting = f"Waiting for {other.slot}" if other is not None and other.is_running else "Loaded"
    words: dict[Phase, Pill] = {
        Phase.EMPTY: NO_MODEL,
        Phase.PREPARING: (f"{lane.doing or 'Preparing'}{share}", "run"),
        Phase.READY: ("Ready", "plain"),
        Phase.QUEUED: ("Queued", "plain"),
        Phase.LOADING: (f"Loading{share}", "run"),
        Phase.WAITING: (waiting, "run"),
        Phase.READING: (f"Reading prompt{share}", "run"),
        Phase.ANSWERING: ("Streaming", "run"),
        Phase.FAILED: ("Failed", "bad"),
        Phase.DONE: _ending(lane),
    }
    return words[lane.phase]


def _ending(lane: LaneState) -> Pill:
    stop = lane.result.stop if lane.result else "end"
    if stop == "length":
        return f"Cut off at {lane.tokens:,} tokens", "warn"
    if stop == "context":
        return "Context full", "warn"
    if stop == "cancelled":
        return "Stopped", "plain"
    return "Done", "ok"


def tokens_per_s(lane: LaneState) -> str:
    """Return the speed, final or so far."""
    if lane.result and lane.result.timings.decode_tokens_per_s:
        return f"{lane.result.timings.decode_tokens_per_s:.1f}"
    if lane.is_answering and lane.decode_s > 0 and lane.tokens > 1:
        return f"{(lane.tokens - 1) / lane.decode_s:.1f}"
    return DASH


def first_token(lane: LaneState) -> str:
    """Return the time to the first token: the engine's figure, until that is there our own."""
    seconds = lane.result.timings.first_token_s if lane.result else None
    seconds = lane.first_token_s if seconds is None else seconds
    if seconds is None:
        return DASH
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def tokens(lane: LaneState) -> str:
    """Return the number of tokens generated."""
    return f"{lane.tokens:,}" if lane.tokens else DASH


def memory(lane: LaneState) -> str:
    """Return the memory that the lane's engine holds, that on other devices included."""
    return size(lane.memory.held_bytes) if lane.memory.held_bytes else DASH


def memory_parts(lane: LaneState) -> str:
    """Return what lies on which device, by llama.cpp's own accounting, and what was reckoned with; empty for nothing."""
    found = [f"{use.device}: {parts}" for use in lane.memory.devices if (parts := _parts(use))]
    if lane.estimated_bytes and lane.memory.devices:
        took = sum(use.weights_bytes + use.kv_bytes + use.compute_bytes for use in lane.memory.devices)
        found.append(f"in all {size(took)}, estimated {size(lane.estimated_bytes)}")
    return " · ".join(found)


def _parts(use: DeviceUse) -> str:
    named = (("weights", use.weights_bytes), ("cache", use.kv_bytes), ("compute", use.compute_bytes))
    return ", ".join(f"{name} {size(size_bytes)}" for name, size_bytes in named if size_bytes)


def placement(lane: LaneState) -> str:
    """Return where layers of the loaded model are, empty when all are on the CPU."""
    loaded = lane.loaded
    if loaded is None or loaded.placement is None or not (loaded.gpu_layers and loaded.placement.devices):
        return ""
    total = loaded.n_layers + 1  # the output layer counts as one
    experts = loaded.placement.cpu_expert_layers
    apart = f", experts of {experts} on the CPU" if experts else ""
    return f"{loaded.gpu_layers} of {total} layers on {', '.join(loaded.placement.devices)}{apart}"


def is_shared(lane: LaneState) -> bool:
    """Return whether the speeds were taken while another model answered."""
    return bool(lane.result and lane.result.shared)


def badges(lane: LaneState) -> tuple[str, ...]:
    """Return the chips behind the model's name, the first to be dropped first."""
    if lane.model is None:
        return ()
    kind = ("base model",) if lane.model.is_base else ()
    return (*kind, _thousands(lane.context_tokens), lane.model.quant)


def note(lane: LaneState) -> str:
    """Return short remarks for the lane's foot, the newest first."""
    if lane.error is not None:
        return ""
    said = [_drafted(lane), _reused(lane), placement(lane)]
    if lane.model is not None and lane.model.is_base and not any(said):
        return "Base model: plain completion prompt"
    return " · ".join(filter(None, said))


def _drafted(lane: LaneState) -> str:
    draft = lane.result.draft if lane.result else None
    if draft is None or not draft.drafted:
        return ""
    share = draft.accepted / draft.drafted
    return f"Draft: {draft.accepted:,} of {draft.drafted:,} tokens accepted ({100 * share:.0f} %)"


def _reused(lane: LaneState) -> str:
    usage = lane.result.usage if lane.result else None
    if usage is None or not usage.cached_tokens:
        return ""
    return f"{usage.cached_tokens:,} of {usage.prompt_tokens:,} prompt tokens reused"


def prompt_sizes(state: CompareState) -> Pill:
    """Return how much of each context the prompt would take, and the role of these words."""
    sized = [(lane.slot, lane.prompt_size) for lane in state.lanes if lane.prompt_size is not None]
    too_long = [
        f"{slot}: {one.tokens:,} tokens do not fit its context of {one.n_ctx:,}"
        for slot, one in sized
        if one.tokens >= one.n_ctx
    ]
    others = [f"{slot} {one.tokens:,} of {one.n_ctx:,}" for slot, one in sized if one.tokens < one.n_ctx]
    if others:
        others[0] += " tokens"
    return " · ".join((*too_long, *others)), "smallwarn" if too_long else "small"


def model_kind(model: ModelFile) -> str:
    """Return whether a model answers or continues text."""
    return "base" if model.is_base else "chat"


def model_line(model: ModelFile) -> str:
    """Return a model as one line, for those who hear it."""
    return f"{model.name}, {model.quant}, {size(model.size_bytes)}, {model_kind(model)}"


def model_tip(lane: LaneState) -> str:
    """Return what a lane's model is and how to choose another."""
    if lane.is_busy:
        return "Stop the answer to choose another model."
    keys = "Ctrl+L" if lane.slot == "A" else "Ctrl+Shift+L"
    if lane.model is None:
        return f"Choose a model  ({keys})"
    return f"{model_line(lane.model)}\n{lane.model.path}\nChoose another model  ({keys})"


def why_not_run(state: CompareState) -> str:
    """Return what a prompt has to wait for, empty when it need not wait."""
    if state.can_run:
        return ""
    if state.blocked:
        return state.blocked
    if state.is_running:
        return "Wait for the answers, or stop them with Esc."
    busy = any(lane.is_busy for lane in state.lanes)
    return "A model is being prepared." if busy else "Choose a model first."


def plan_reason(state: CompareState) -> str:
    """Return why the models of this run, or of the last one, share the machine as they do."""
    return state.plan.reason if state.plan else ""


def sentence_tip(state: CompareState) -> str:
    """Return the sentence with what is known behind it."""
    reason = plan_reason(state)
    return state.sentence if not reason or reason == state.sentence else f"{state.sentence}\n{reason}"


def plan_tip(state: CompareState) -> str:
    """Return what the plan is, and why it came out as it did."""
    reason = plan_reason(state)
    return PLAN_TIP + (f"\nLast run: {reason}" if reason else "")


def engines_line(reading: MemoryReading) -> str:
    """Return how many models are in memory."""
    count = reading.engines
    return f"{count} model{'s' * (count != 1)} loaded, {reading.cores} cores" if count else NOTHING_LOADED


def memory_line(reading: MemoryReading) -> str:
    """Return how full the machine's memory is."""
    return f"Memory {size(reading.used_bytes)} of {size(reading.total_bytes)}"


def size(size_bytes: int) -> str:
    """Return bytes for a person, in decimal units."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def _thousands(tokens_: int) -> str:
    return f"{tokens_ // 1024}k ctx" if tokens_ >= 1024 else f"{tokens_} ctx"
