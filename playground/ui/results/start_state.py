"""What is chosen before a run, as a frozen value, and the words for it. Pure functions, no widgets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from playground.bench.record import RunSettings
from playground.bench.run_list import RunFile
from playground.bench.sandbox import Sandbox
from playground.bench.statistics import planning
from playground.bench.suites import KnownSuite
from playground.bench.words import points
from playground.models.files import ModelFile
from playground.ui.compare_words import size
from playground.ui.results import words
from playground.ui.results.services import RunWish
from playground.ui.results.words import Pill

_USUAL_DISCORDANCE = 0.25
PLANS = (
    ("auto", "Automatic"),
    ("sequential", "One after the other"),
    ("together", "Together"),
)
THINKING: tuple[tuple[bool | None, str], ...] = ((None, "As the model does"), (False, "Off"), (True, "On"))
PLAN_TIPS = {
    "auto": "One after the other: each model has the whole machine, so times and speeds are its own.",
    "sequential": "Each model has the whole machine, so times and speeds are its own.",
    "together": "Both at once, where they fit: sooner done, but times and speeds are not their own.",
}
MARGIN_TIP = (
    "How much worse is good enough: the compact model may solve so many points fewer tasks of a hundred. It is chosen "
    "before the run and kept in its file, so that the answer cannot choose it."
)


@dataclass(frozen=True, slots=True)
class Form:
    """What a person has chosen. Models by their path; ``larger`` empty: one model alone."""

    compact: str = ""
    larger: str = ""
    suite: str = "starter"
    glob: str = ""
    samples: int = 1
    max_tokens: int = 2048
    thinking: bool | None = None
    margin_points: int = 10
    plan: str = "auto"


@dataclass(frozen=True, slots=True)
class StartState:
    """``chosen`` of ``tasks``: how many the filter leaves, None while that is not known; ``problem``: why none.

    ``loaded``: models that Compare holds; ``blocked``: why no run can begin now; ``fetching``: a suite's name.
    """

    runs: tuple[RunFile, ...] = ()
    models: tuple[ModelFile, ...] | None = None
    suites: tuple[KnownSuite, ...] = ()
    form: Form = Form()
    chosen: int | None = None
    tasks: int = 0
    caution: str = ""
    problem: str = ""
    sandbox: Sandbox | None = None
    loaded: tuple[str, ...] = ()
    blocked: str = ""
    running: str = ""
    starting: bool = False
    fetching: str = ""
    trouble: str = ""

    def model(self, path: str) -> ModelFile | None:
        """Return a model by its path."""
        return next((model for model in self.models or () if model.path == path), None)

    def suite(self) -> KnownSuite | None:
        """Return what is known of the suite that is chosen."""
        return next((suite for suite in self.suites if suite.id == self.form.suite), None)


def with_models(state: StartState, models: tuple[ModelFile, ...]) -> StartState:
    """Return the state with the models of this disk; the two smallest are chosen where nothing is."""
    ordered = tuple(sorted(models, key=lambda model: (model.name.casefold(), model.size_bytes)))
    by_size = [model.path for model in sorted(models, key=lambda model: model.size_bytes)]
    form = state.form
    known = set(by_size)
    compact = form.compact if form.compact in known else by_size[0] if by_size else ""
    others = [path for path in by_size if path != compact]
    larger = (
        form.larger
        if form.larger in known or (form.compact and not form.larger)
        else others[0]
        if others
        else ""
    )
    return replace(state, models=ordered, form=replace(form, compact=compact, larger=larger))


def wish(state: StartState) -> RunWish | None:
    """Return the run that is chosen, None while it cannot begin."""
    if why_not(state):
        return None
    form = state.form
    models = tuple(found for path in (form.compact, form.larger) if (found := state.model(path)) is not None)
    settings = RunSettings(
        samples=form.samples,
        max_tokens=form.max_tokens,
        thinking=form.thinking,
        margin=form.margin_points / 100,
        plan=form.plan,
        task_glob=form.glob.strip(),
    )
    return RunWish(models, form.suite, settings)


def why_not(state: StartState) -> str:
    """Return what a run has to wait for, empty when it can begin."""
    form, suite = state.form, state.suite()
    reasons = (
        (bool(state.running), state.running),
        (bool(state.blocked), state.blocked),
        (state.starting, "The run is being prepared."),
        (state.models is None, "The models of this computer are being looked for."),
        (not state.models, "There is no model on this computer yet: fetch one in the Library."),
        (state.model(form.compact) is None, "Choose a compact model."),
        (form.compact == form.larger, "Choose two different models, or one alone."),
        (
            suite is not None and suite.where == "hub",
            "This suite is not on this computer yet: fetch it first.",
        ),
        (bool(state.problem), state.problem),
        (state.chosen is None, "The tasks are being read."),
    )
    return next((why for holds, why in reasons if holds), "")


def suite_words(suite: KnownSuite) -> str:
    """Return a suite for a list."""
    where = {"hub": ", not fetched yet", "fetched": "", "shipped": ""}[suite.where]
    tasks = words.count(suite.tasks, "task") if suite.tasks else "cannot be read"
    return f"{words.one_line(suite.title, 40)}: {tasks}{where}"


def model_words(model: ModelFile) -> str:
    """Return a model for a list."""
    base = ", base" if model.is_base else ""
    return f"{words.one_line(model.name, 48)} {model.quant}{base} · {size(model.size_bytes)}"


def tasks_words(state: StartState) -> Pill:
    """Return how many tasks the filter leaves, and whether that is a problem."""
    if state.problem:
        return state.problem, "why"
    if state.chosen is None:
        return "…", "small"
    if state.chosen == state.tasks:
        return f"all {words.count(state.tasks, 'task')}", "small"
    return f"{state.chosen} of {words.count(state.tasks, 'task')}", "small"


def work_words(state: StartState) -> str:
    """Return what the run is going to take."""
    if state.chosen is None:
        return ""
    form = state.form
    lanes = 2 if form.larger else 1
    answers = state.chosen * form.samples * lanes
    parts = f"{words.count(state.chosen, 'task')}" + (
        f" × {form.samples} answers" if form.samples > 1 else ""
    )
    models = f" × {lanes} models" if lanes > 1 else ""
    longest = f"each at most {form.max_tokens:,} tokens"
    return (
        f"{parts}{models} = {words.count(answers, 'answer')}, {longest}. "
        "How long that takes is said after the first answers."
    )


def power_words(state: StartState) -> str:
    """Return what so many tasks can show, before anything is run."""
    if state.chosen is None or not state.form.larger:
        return ""
    gap = planning.smallest_gap(state.chosen, _USUAL_DISCORDANCE)
    needed = planning.tasks_for_margin(_USUAL_DISCORDANCE, state.form.margin_points / 100)
    usual = "when a quarter of the tasks tell two models apart"
    shows = (
        f"{words.count(state.chosen, 'task')} can show a gap of {points(gap)} points or more, {usual}."
        if gap is not None
        else f"{words.count(state.chosen, 'task')} are too few to show any gap, {usual}."
    )
    settles = (
        f" About {planning.about(needed)} would settle a margin of {state.form.margin_points} points."
        if needed is not None and needed > state.chosen
        else ""
    )
    return shows + settles


def sandbox_words(state: StartState) -> tuple[str, str, bool]:
    """Return what is said of the sandbox: a heading, sentences, and whether tests run by themselves."""
    sandbox = state.sandbox
    if sandbox is None:
        return "Sandbox", "What programs can be run in is being tried out.", True
    if sandbox.is_safe:
        return f"Sandbox: {sandbox.name}", f"{sandbox.guarantee} {sandbox.missing}".strip(), True
    advice = (
        "The models still answer, and every answer is kept; tests are run later on a computer with a sandbox, "
        "when the run is resumed there."
    )
    return "No sandbox: answers are not tested", f"{sandbox.guarantee} {advice}", False


def loaded_words(state: StartState) -> str:
    """Return what happens to the models that Compare holds."""
    if not state.loaded:
        return ""
    names = " and ".join(words.one_line(name, 48) for name in state.loaded)
    held = "is" if len(state.loaded) == 1 else "are"
    return f"{names} {held} in memory for Compare and {held} unloaded first, so that the run has the machine for itself."


def run_line(run: RunFile) -> str:
    """Return what a run is called in a list."""
    return words.run_title(run.header) if run.header is not None else words.one_line(run.name, 80)


def run_models(run: RunFile) -> str:
    """Return which models a run had, or why it cannot be read."""
    if run.header is None:
        return run.problem
    names = [f"{words.one_line(lane.model.name, 40)} {lane.model.quant}" for lane in run.header.lanes]
    return " against ".join(names)


def run_pill(run: RunFile) -> Pill:
    """Return a run's state in a word."""
    if run.header is None:
        return "damaged", "bad"
    return words.NO_PILL if run.complete else ("not complete", "warn")


def spoken(run: RunFile) -> str:
    """Return a run for a screen reader."""
    return ", ".join(filter(None, (run_line(run), run_models(run), run_pill(run)[0])))


def run_tip(run: RunFile) -> str:
    """Return where a run lies."""
    return f"{Path(run.path)}\n{size(run.size_bytes)}"
