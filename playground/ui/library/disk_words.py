"""What *On disk* knows, frozen, and its words: places, states, what a selection would free. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from playground.models.disk.inventory_values import Disk, DiskModel, DiskState, Place
from playground.ui.compare_words import size
from playground.ui.library.trouble import Trouble
from playground.ui.library.words import PLACES, Pill, context, licence, params, plural, rough

ALL, PROBLEMS = "all", "problems"
PLACE_TINTS: dict[Place, str] = {
    Place.HUB: "accent",
    Place.LM_STUDIO: "b",
    Place.OLLAMA: "ok",
    Place.FOLDER: "warn",
    Place.APP: "bi",
    Place.JAN: "fn",
    Place.GPT4ALL: "kw",
    Place.LLAMA_CPP: "nu",
}
_FETCHABLE = (DiskState.PARTIAL, DiskState.PART_MISSING, DiskState.BROKEN)
_ORDER = (DiskState.PART_MISSING, DiskState.PARTIAL, DiskState.BROKEN, DiskState.UNREADABLE, DiskState.DUPLICATE, DiskState.READY)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DiskView:
    """``checked`` and ``current`` are paths. ``looking``: where it looks now; ``notice``: what was just done."""

    disk: Disk | None = None
    is_looking: bool = False
    looking: str = ""
    trouble: Trouble | None = None
    checked: frozenset[str] = frozenset()
    current: str = ""
    chip: str = ALL
    words: str = ""
    added_folders: tuple[str, ...] = ()
    is_removing: bool = False
    notice: str = ""
    problem: str = ""

    @property
    def models(self) -> tuple[DiskModel, ...]:
        """Return all models that were found."""
        return self.disk.models if self.disk else ()

    def chosen(self) -> tuple[DiskModel, ...]:
        """Return the checked models."""
        return tuple(model for model in self.models if model.path in self.checked)

    def meant(self) -> tuple[DiskModel, ...]:
        """Return the checked models, or else the one that the table is at."""
        return self.chosen() or tuple(model for model in self.models if model.path == self.current)


@dataclass(frozen=True, slots=True)
class DiskFoot:
    """What stands below the table and what its buttons can do."""

    selected: str
    hint: str
    remove: str
    can_remove: bool
    can_fetch: bool
    can_use: bool


def ordered(models: tuple[DiskModel, ...]) -> tuple[DiskModel, ...]:
    """Return models, those with a problem first, the largest first among their like."""
    return tuple(sorted(models, key=lambda model: (_ORDER.index(model.state), -model.size_bytes, model.name)))


def has_problem(model: DiskModel) -> bool:
    """Return whether a model is not simply ready."""
    return model.state is not DiskState.READY


def chips(view: DiskView) -> tuple[tuple[str, str], ...]:
    """Return the filters by place: key and words."""
    places = [place for place in Place if any(model.place is place for model in view.models)]
    found = [
        (place.value, f"{PLACES[place]}  {sum(m.place is place for m in view.models)}") for place in places
    ]
    problems = sum(has_problem(model) for model in view.models)
    ends = [(PROBLEMS, f"With a problem  {problems}")] if problems else []
    return ((ALL, f"All  {len(view.models)}"), *found, *ends)


def is_shown(model: DiskModel, chip: str, words: str) -> bool:
    """Return whether a model passes the filters."""
    if chip == PROBLEMS and not has_problem(model):
        return False
    if chip not in (ALL, PROBLEMS) and model.place.value != chip:
        return False
    text = f"{model.name} {model.quant} {model.arch} {model.ref}".casefold()
    return all(word in text for word in words.casefold().split())


def shares(disk: Disk) -> tuple[tuple[float, str], ...]:
    """Return the disk as shares by place, and what other files take."""
    whole = max(disk.total_bytes, 1)
    parts = [(_of_place(disk, place) / whole, tint) for place, tint in PLACE_TINTS.items()]
    mine = sum(share for share, _ in parts)
    other = max(0.0, (whole - disk.free_bytes) / whole - mine)
    return (*(part for part in parts if part[0]), (other, "other"))


def legend(disk: Disk) -> tuple[tuple[str, str, str], ...]:
    """Return tint, name and size for each place that holds something."""
    held = [(tint, PLACES[place], _of_place(disk, place)) for place, tint in PLACE_TINTS.items()]
    return tuple((tint, name, _rough(held_bytes)) for tint, name, held_bytes in held if held_bytes)


def _of_place(disk: Disk, place: Place) -> int:
    return sum(model.size_bytes for model in disk.models if model.place is place)


def _rough(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.0f} GB" if size_bytes >= 9.95e9 else size(size_bytes)


def total(disk: Disk) -> str:
    """Return what all models take and what is free."""
    if not disk.models:
        return f"No models  ·  {rough(disk.free_bytes)} free"
    taken = sum(model.size_bytes for model in disk.models)
    return f"{_rough(taken)} in {plural(len(disk.models), 'model')}  ·  {rough(disk.free_bytes)} free"


def state_pill(model: DiskModel, twin: Place | None = None) -> Pill:
    """Return a model's state. ``twin``: where the one lies that it duplicates."""
    share = f", {model.fraction:.0%}" if model.fraction is not None else ""
    pills: dict[DiskState, Pill] = {
        DiskState.READY: ("Ready", "ok"),
        DiskState.PARTIAL: (f"Partial{share}", "warn"),
        DiskState.BROKEN: ("Broken", "bad"),
        DiskState.PART_MISSING: ("Part missing", "bad"),
        DiskState.DUPLICATE: (f"Same as in {PLACES[twin]}" if twin else "Duplicate", "plain"),
        DiskState.UNREADABLE: ("Cannot be read", "bad"),
    }
    return pills[model.state]


def quant(model: DiskModel) -> str:
    """Return the quantization, with the number of files of a split model."""
    files = len(model.files)
    return f"{model.quant}, {files} parts" if files > 1 else model.quant


def context_words(model: DiskModel) -> str:
    """Return the largest context."""
    return context(model.n_ctx_train) if model.n_ctx_train else "–"


def tip(model: DiskModel) -> str:
    """Return what there is no room for in a row."""
    kind = "base model" if model.is_base else ""
    facts = ", ".join(
        filter(None, (params(model.params), kind, licence(model.licence)[0] if model.licence else ""))
    )
    lock = "" if model.can_delete else lock_tip(model)
    same = f"The same as {model.same_as}" if model.same_as else ""
    return "\n".join(filter(None, (model.path, facts, measured(model), model.problem, same, lock)))


def measured(model: DiskModel) -> str:
    """Return what a model took when it was last loaded, beside the estimate; empty for one that never was."""
    if not model.measured_bytes:
        return ""
    took, thought = size(model.measured_bytes), size(model.estimated_bytes)
    return f"Measured {took} with a context of {context(model.measured_n_ctx)}, estimated {thought}"


def lock_tip(model: DiskModel) -> str:
    """Return why a model cannot be deleted here."""
    return f"Used in place. Delete it in {PLACES[model.place]}."


def spoken(model: DiskModel) -> str:
    """Return a model for those who hear it."""
    lock = "" if model.can_delete else "locked"
    parts = (
        model.name,
        quant(model),
        size(model.size_bytes),
        PLACES[model.place],
        state_pill(model)[0],
        lock,
    )
    return ", ".join(filter(None, parts))


def can_fetch(model: DiskModel) -> bool:
    """Return whether what is missing of a model can be fetched."""
    return (
        bool(model.repo and model.quant)
        and model.state in _FETCHABLE
        and model.place in (Place.HUB, Place.APP)
    )


def can_use(model: DiskModel) -> bool:
    """Return whether a model can be loaded."""
    return model.state in (DiskState.READY, DiskState.DUPLICATE)


def doomed(view: DiskView) -> tuple[DiskModel, ...]:
    """Return what the button deletes: what is marked, else the row that the table is at, where it may be deleted."""
    return tuple(model for model in view.meant() if model.can_delete)


def foot(view: DiskView) -> DiskFoot:
    """Return what can be done with what is checked, or with the row that the table is at."""
    chosen, meant = view.chosen(), view.meant()
    doomed_ones = doomed(view)
    freed = sum(model.size_bytes for model in doomed_ones)
    lone = meant[0] if len(meant) == 1 else None
    if chosen:
        selected, hint = f"{len(chosen)} selected, {size(freed)}", ""
    else:
        locked = any(not model.can_delete for model in view.models)
        selected, hint = "", "Locked rows belong to other programs and are used in place." if locked else ""
        if lone is not None:
            selected, hint = f"{lone.name} {lone.quant}".strip(), lone.problem
    return DiskFoot(
        selected=selected,
        hint=view.notice or hint,
        remove="Deleting…" if view.is_removing else f"Delete {size(freed)}…" if doomed_ones else "Delete…",
        can_remove=bool(doomed_ones) and not view.is_removing,
        can_fetch=any(can_fetch(model) for model in meant),
        can_use=lone is not None and can_use(lone),
    )


def question(chosen: tuple[DiskModel, ...]) -> tuple[str, str, str, tuple[str, ...]]:
    """Return title, text, the button's words and the list for the question before deleting."""
    freed = size(sum(model.size_bytes for model in chosen))
    listed = tuple(
        f"{model.name} {quant(model)}, {size(model.size_bytes)}\n    {model.path}" for model in chosen
    )
    text = "The files are deleted from this disk. This cannot be undone."
    return f"Delete {plural(len(chosen), 'model')}, {freed}?", text, f"Delete {freed}", listed


def freed(size_bytes: int) -> str:
    """Return what deleting has brought."""
    return f"Deleted: {size(size_bytes)} are free again."


def nothing(view: DiskView) -> tuple[str, str]:
    """Return title and sentence where no row is shown."""
    if view.models:
        return "No model fits this filter", "Clear the filter to see all that is here."
    return "No models on this disk yet", "Fetch one, or add a folder in which there are GGUF files."
