"""From the state of *For this machine* to its cards, in words. Pure functions."""

from __future__ import annotations

from playground.models.catalog.catalog_values import CatalogModel, Proposal, Side
from playground.models.downloads.download import Download, DownloadState
from playground.models.fit import MemoryEstimate
from playground.models.fitness import Fit, How, Machine
from playground.ui.compare_words import size
from playground.ui.library.pairs_state import Act, BarRow, Bars, PairCard, PairsState, SideLine
from playground.ui.library.words import HOWS, Pill, about, duration, licence, rough, speed, tenths

_MOVING = (DownloadState.QUEUED, DownloadState.ACTIVE, DownloadState.WAITING, DownloadState.VERIFYING)
_PAIRED: tuple[How, ...] = ("together", "in_turn")
_ICONS: dict[Act, str] = {"fetch": "get", "show_downloads": "", "retry": "redo", "compare": "compare", "use_compact": "compare"}  # fmt: skip


def icon_of(act: Act) -> str:
    """Return the picture of a card's button."""
    return _ICONS.get(act, "")


def machine_words(machine: Machine | None, disk_free_bytes: int) -> tuple[str, str]:
    """Return the name of what counts on this machine, and what is free on it."""
    if machine is None:
        return "", "Reading this machine's memory…"
    ram = f"RAM {tenths(machine.free_bytes)} of {size(machine.total_bytes)} free"
    disk = f"Disk {rough(disk_free_bytes)} free"
    if not machine.devices:
        return "This machine", f"{ram}  ·  no GPU in use  ·  {disk}"
    free = sum(device.free_bytes for device in machine.devices)
    name = machine.device_name or ", ".join(device.name for device in machine.devices)
    return name, f"{tenths(free)} of {size(machine.device_total_bytes or free)} free  ·  {ram}  ·  {disk}"


def cards(state: PairsState) -> tuple[PairCard, ...]:
    """Return all cards; the first pair that fits and is not here yet stands out."""
    first = next((one.pair.id for one in state.proposals if _stands_out(state, one)), "")
    return tuple(card(state, one, is_primary=one.pair.id == first) for one in state.proposals)


def _stands_out(state: PairsState, proposal: Proposal) -> bool:
    return (
        not proposal.pair.is_story
        and proposal.fit.how in _PAIRED
        and _act(state, proposal) in ("fetch", "compare")
    )


def card(state: PairsState, proposal: Proposal, *, is_primary: bool) -> PairCard:
    """Return what a proposal's card shows."""
    pair, how, act = proposal.pair, proposal.fit.how, _act(state, proposal)
    foot, fraction = _foot(state, proposal, act)
    missing = _fetch_bytes(state, proposal)
    no_room = act == "fetch" and missing > state.disk_free_bytes
    problem = dict(state.problems).get(pair.id, "") or _failure(state, proposal)
    return PairCard(
        id=pair.id,
        title=pair.title,
        how=HOWS[how],
        how_tip=proposal.fit.reason,
        sides=(_side(state, "A", proposal.compact), _side(state, "B", proposal.larger)),
        bars=bars(proposal),
        why=pair.why,
        remark=_remark(proposal),
        foot=f"{size(missing)} to fetch, {size(state.disk_free_bytes)} free on the disk" if no_room else foot,
        problem=problem,
        act=act,
        button=_button(state, proposal, act),
        button_tip=_tip(act),
        can_act=pair.id not in state.starting and not no_room,
        is_primary=is_primary,
        is_wide=pair.is_story,
        fraction=fraction,
    )


def needed_sides(proposal: Proposal) -> tuple[Side, ...]:
    """Return the sides that are worth having on this machine."""
    sides = {"only_compact": (proposal.compact,), "only_larger": (proposal.larger,), "neither": ()}
    return sides.get(proposal.fit.how, (proposal.compact, proposal.larger))


def is_pair(proposal: Proposal) -> bool:
    """Return whether both sides can be compared on this machine."""
    return proposal.fit.how in _PAIRED


def _missing(state: PairsState, proposal: Proposal) -> tuple[Side, ...]:
    return tuple(side for side in needed_sides(proposal) if not state.path(side))


def _fetch_bytes(state: PairsState, proposal: Proposal) -> int:
    return sum(side.quant.size_bytes for side in _missing(state, proposal))


def _fetched(state: PairsState, proposal: Proposal) -> list[Download]:
    found = [state.download(side) for side in _missing(state, proposal)]
    return [one for one in found if one is not None]


def _act(state: PairsState, proposal: Proposal) -> Act:
    if not needed_sides(proposal):
        return ""
    missing = _missing(state, proposal)
    if not missing:
        return "compare" if is_pair(proposal) else "use_compact"
    fetched = _fetched(state, proposal)
    if any(one.state is DownloadState.FAILED for one in fetched):
        return "retry"
    if len(fetched) == len(missing):
        return "show_downloads"
    return "fetch"


def _button(state: PairsState, proposal: Proposal, act: Act) -> str:
    if proposal.pair.id in state.starting:
        return "Starting…"
    if act != "fetch":
        texts = {"show_downloads": "Show downloads", "retry": "Try again", "compare": "Compare", "": ""}
        return texts.get(act, "Use as A")
    missing = [slot for slot, side in _slots(proposal) if not state.path(side)]
    if not is_pair(proposal):
        return f"Download {missing[0]}"
    return "Download both and compare" if len(missing) == 2 else f"Download {missing[0]} and compare"


def _slots(proposal: Proposal) -> list[tuple[str, Side]]:
    needed = needed_sides(proposal)
    both = (("A", proposal.compact), ("B", proposal.larger))
    return [(slot, side) for slot, side in both if side in needed]


def _tip(act: Act) -> str:
    tips: dict[Act, str] = {
        "fetch": "Compare opens by itself when all is here and checked",
        "compare": "Put both into Compare",
        "use_compact": "Put the compact one into pane A of Compare",
        "retry": "Fetch what is missing again",
    }
    return tips.get(act, "")


def _foot(state: PairsState, proposal: Proposal, act: Act) -> tuple[str, float | None]:
    if act in ("show_downloads", "retry"):
        return _progress(_fetched(state, proposal))
    if act == "compare":
        return "Both are here", None
    if act != "fetch":
        return ("The compact one is here" if act else ""), None
    missing = _fetch_bytes(state, proposal)
    pace = state.speed_bytes_per_s
    return f"{size(missing)} to fetch" + (f"  ·  {about(missing / pace)}" if pace else ""), None


def _progress(fetched: list[Download]) -> tuple[str, float | None]:
    total, received = (sum(one.total_bytes for one in fetched), sum(one.received_bytes for one in fetched))
    pace = sum(one.bytes_per_s for one in fetched if one.state is DownloadState.ACTIVE)
    parts = [f"{tenths(received)} of {size(total)}"]
    if pace > 0:
        parts += [speed(pace), f"{duration((total - received) / pace)} left"]
    elif all(one.state is DownloadState.PAUSED for one in fetched):
        parts.append("paused")
    return "  ·  ".join(parts), received / total if total else 0.0


def _failure(state: PairsState, proposal: Proposal) -> str:
    failed = [one for one in _fetched(state, proposal) if one.state is DownloadState.FAILED]
    return f"{failed[0].error} {failed[0].hint}".strip() if failed else ""


def _remark(proposal: Proposal) -> str:
    how, pair = proposal.fit.how, proposal.pair
    if how == "only_compact":
        return f"The larger one needs {pair.memory_gb} GB, or an endpoint."
    if how in ("only_larger", "neither"):
        return proposal.fit.reason
    return ""


def _side(state: PairsState, slot: str, side: Side) -> SideLine:
    model = side.model
    return SideLine(
        slot=slot,
        name=model.name,
        quant=side.quant.name,
        licence=licence(model.licence)[0],
        size=size(side.quant.size_bytes),
        pill=_side_pill(state, side),
        tip=model_tip(model),
    )


def _side_pill(state: PairsState, side: Side) -> Pill:
    if state.path(side):
        return "On disk", "ok"
    found = state.download(side)
    if found is None:
        return "", "plain"
    share = f"{found.received_bytes / found.total_bytes:.0%}" if found.total_bytes else ""
    pills: dict[DownloadState, Pill] = {
        DownloadState.QUEUED: ("Queued", "plain"),
        DownloadState.WAITING: ("Retrying", "warn"),
        DownloadState.VERIFYING: ("Checking", "run"),
        DownloadState.PAUSED: ("Paused", "plain"),
        DownloadState.FAILED: ("Failed", "bad"),
    }
    return pills.get(found.state, (share, "run"))


def model_tip(model: CatalogModel) -> str:
    """Return what is known about a model: its page, the vendor's figures with source and date, a note."""
    lines = [
        model.repo,
        *(f"{one.benchmark} {one.value:g} (its maker, {one.read}, {one.source})" for one in model.scores),
    ]
    return "\n".join([*lines, model.note] if model.note else lines)


def bars(proposal: Proposal) -> Bars:
    """Return a pair's memory: one bar where both are loaded together, else one for each."""
    compact, larger = proposal.fit.compact, proposal.fit.larger
    free = compact.free_bytes
    free_words = f"{size(free)} free"
    if proposal.fit.how != "together":
        rows = (_bar("A", "a", compact), _bar("B", "b", larger))
        return Bars(rows, free, free_words)
    a, b = compact.memory, larger.memory
    buffers = a.compute_bytes + b.compute_bytes
    total = a.total_bytes + b.total_bytes
    parts = (*_parts("a", a), *_parts("b", b), (buffers, "buffers"))
    note = "   ·   ".join((*(f"{tenths(m.weights_bytes)} + {tenths(cache(m))} cache" for m in (a, b)), f"{tenths(buffers)} buffers"))  # fmt: skip
    return Bars((BarRow("A + B", parts, size(total), total > free),), free, free_words, note)


def cache(memory: MemoryEstimate) -> int:
    """Return what grows with the context, and recurrent states."""
    return memory.kv_bytes + memory.recurrent_bytes


def _parts(tint: str, memory: MemoryEstimate) -> tuple[tuple[float, str], tuple[float, str]]:
    return (memory.weights_bytes, tint), (cache(memory), f"{tint}2")


def _bar(title: str, tint: str, fit: Fit) -> BarRow:
    total = fit.memory.total_bytes
    parts = (*_parts(tint, fit.memory), (fit.memory.compute_bytes, "buffers"))
    return BarRow(title, parts, rough(total), total > fit.free_bytes)
