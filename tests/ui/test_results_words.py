"""The words and values of the Results screen, without a widget."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.bench.events import LaneEnded, Phase, RunFinished
from playground.bench.outcome import CaseResult, Extracted, Judged, Outcome
from playground.bench.record import End, LaneEnd, Result, RunSettings
from playground.bench.run_data import RunData
from playground.bench.run_list import RunFile
from playground.bench.suites import KnownSuite
from playground.bench.verdict import verdict
from playground.ui.results import code_diff, running_state, start_state, task_rows, task_state, words
from playground.ui.results.running_state import RunningState
from playground.ui.results.start_state import Form, StartState
from playground.ui.results.verdict_state import VerdictState, verdict_state
from tests.support import results_runs, runs
from tests.support.scripted_results import NONE, SAFE

_LINES = st.lists(st.text("ab (=,", max_size=12), max_size=12)


def _verdict(data: RunData) -> VerdictState:
    return verdict_state(data, verdict(data), "/runs/one.jsonl")


def _after(count: int | None = None) -> RunningState:
    state = running_state.begun((("A", "Compact", "Q2_K"), ("B", "Larger", "Q4_K_M")), "")
    for event in results_runs.under_way()[:count]:
        state = running_state.reduced(state, event)
    return state


# ---- pills and rows


@pytest.mark.parametrize("outcome", list(Outcome))
def test_each_outcome_has_a_word_and_a_colour(outcome: Outcome) -> None:
    text, role = words.outcome_pill(outcome)
    assert text
    assert (role == "ok") == (outcome is Outcome.PASS)
    assert role in ("ok", "bad", "warn", "plain")


def test_who_solved_a_task() -> None:
    data = runs.run(1, 1, 1, 1)
    who = [row.solved_by for row in task_rows.rows(data)]
    assert who == ["both", "only compact", "only larger", "neither"]


def test_several_samples_are_counted() -> None:
    data = RunData(runs.header(1, settings=RunSettings(samples=2))).with_entries(
        [
            *(runs.answer("A", 0, sample) for sample in (0, 1)),
            runs.result("A", 0, Outcome.PASS, 0),
            runs.result("A", 0, Outcome.WRONG, 1),
            *(runs.answer("B", 0, sample) for sample in (0, 1)),
            *(runs.result("B", 0, Outcome.PASS, sample) for sample in (0, 1)),
        ]
    )
    (row,) = task_rows.rows(data)
    assert [cell.pill for cell in row.cells] == [("1 of 2", "warn"), ("2 of 2", "ok")]
    assert row.solved_by == "more often larger"
    assert row.tells_apart
    assert row.cells[0].tokens == 100


def test_disagreements_come_first_and_every_chip_counts_its_rows() -> None:
    rows = task_rows.disagreements_first(task_rows.rows(results_runs.whole()))
    assert [row.tells_apart for row in rows] == [True] * 11 + [False] * 29
    assert [row.solved_by for row in rows[11:17]] == ["neither"] * 6
    for chip in task_rows.chips(rows, 2):
        assert chip.rows == sum(task_rows.passes(row, chip.kind, "") for row in rows)
    assert {chip.text: chip.rows for chip in task_rows.chips(rows, 2)} == {
        "All, disagreements first": 40,
        "Only compact": 3,
        "Only larger": 8,
        "Neither": 6,
        "Wrong": 11,
        "No code": 2,
        "Cut off": 3,
        "Timeout": 3,
    }


def test_a_task_is_found_by_its_words() -> None:
    rows = task_rows.rows(results_runs.whole())
    found = [row.task for row in rows if task_rows.passes(row, "all", "PARSING csv")]
    assert found == ["csv_unquote"]
    assert not any(task_rows.passes(row, "only_small", "csv") for row in rows)


def test_one_model_alone_has_no_other_to_be_compared_with() -> None:
    data = RunData(runs.header(2, models=(runs.COMPACT,))).with_entries(
        [runs.answer("A", n) for n in range(2)]
        + [runs.result("A", 0, Outcome.PASS), runs.result("A", 1, Outcome.WRONG)]
    )
    rows = task_rows.rows(data)
    assert [row.solved_by for row in rows] == ["solved", "not solved"]
    assert [chip.text for chip in task_rows.chips(rows, 1)] == ["All", "Not solved", "Wrong"]
    shown = _verdict(data)
    assert shown.headline == "1 of 2 solved"
    assert shown.metrics == ()
    assert all(not line.compare for line in shown.cost)


# ---- the verdict


def test_a_run_that_settles_nothing_says_so() -> None:
    shown = _verdict(results_runs.whole())
    assert shown.headline == "Not settled"
    assert "<b>26 of 40</b>" in shown.first
    assert "<b>130 more tasks</b>" in shown.second
    assert [metric.value for metric in shown.metrics] == ["p = 0.23", "41 % likely", "24 points"]
    assert {line.name: line.compare for line in shown.cost}["Peak memory, GB"] == "4.1× smaller"
    assert not shown.can_resume


def test_below_six_disagreements_nobody_is_named() -> None:
    shown = _verdict(runs.run(10, 1, 4, 0))
    assert shown.headline == "No difference seen yet"
    assert shown.pill == ("not settled", "warn")
    assert "Fewer than six" in shown.second


def test_an_incomplete_run_can_be_gone_on_with_and_its_sums_are_not_compared() -> None:
    shown = _verdict(results_runs.part())
    assert shown.can_resume
    assert shown.pill == ("not complete", "warn")
    assert any("23 answers are missing" in note for note in shown.notes)
    compared = {line.name: line.compare for line in shown.cost}
    assert not compared["Time for the answers, min"]
    assert compared["Solved tasks per minute"]


def test_a_dead_lane_and_a_faulty_setup_are_warned_about() -> None:
    data = RunData(runs.header(10)).with_entries(
        [
            *runs.entries({"A": [Outcome.CUT_OFF] * 10, "B": [Outcome.PASS] * 10}),
            LaneEnd("A", 60.0, 1, error="The engine was killed: <b>out of memory</b>."),
        ]
    )
    shown = _verdict(data)
    assert any("set-up fault in A" in text and "raise the longest answer" in text for text in shown.warnings)
    assert any("stopped early" in text for text in shown.warnings)


def test_a_models_name_cannot_inject_markup() -> None:
    evil = msgspec.structs.replace(runs.COMPACT, name="<img src=x>{b}\x1b[31m")
    header = runs.header(2, models=(evil, runs.LARGER))
    data = RunData(header).with_entries(runs.entries({"A": [Outcome.PASS] * 2, "B": [Outcome.PASS] * 2}))
    shown = _verdict(data)
    assert "<img" not in shown.first
    assert "&lt;img" in shown.first
    assert shown.first.count("{b}") == 1  # the lane's own colour
    assert "\x1b" not in shown.first


# ---- an opened task


def test_a_task_has_both_answers_and_what_differs() -> None:
    data = results_runs.whole()
    order = ("top_k_words", "csv_unquote")
    shown = task_state.task_state(data, "top_k_words", order, kind="disagreement")
    assert shown.place == "disagreement 1 of 2"
    assert (shown.previous, shown.next) == ("", "csv_unquote")
    assert shown.said == "2 lines changed, 2 only in B. First failing case of A is case 3."
    assert shown.panes[0].cases_line == "2 of 6 cases fail, first: case 3"
    assert shown.panes[1].cases_line == "6 of 6 cases pass"
    assert "The only fenced block" in shown.panes[0].how


def test_without_a_program_there_is_no_difference_but_a_reason() -> None:
    shown = task_state.task_state(results_runs.whole(), "matrix_spiral", ("matrix_spiral",))
    assert shown.difference is None
    assert "A: The answer holds no code block" in shown.said
    assert shown.panes[0].cases == ()


def test_what_a_program_printed_is_plain_and_bounded() -> None:
    log = "\x1b[31mred\x1b[0m \x00 <script>alert(1)</script>\u202e" + "x" * 600_000
    judged = Judged(Outcome.WRONG, (CaseResult("1", False, "\x00\x1b[2J", "a\nb", "\u202e"),), 0, 1, "", log)
    shown = task_state.printed(Result("A", "t", 0, Extracted("", ""), judged))
    assert not set(shown) & {"\x1b", "\x00", "\u202e"}
    assert "<script>" in shown  # as text; nothing renders it
    assert len(shown) < 500_000
    (case,) = task_state.case_rows(judged.cases)
    assert not set(case.input + case.expected + case.got) & {"\x1b", "\x00", "\n", "\u202e"}


def test_an_answer_shows_its_reasoning_and_why_there_is_none() -> None:
    answer = msgspec.structs.replace(runs.answer("A", 0), reasoning="First I think.")
    assert task_state.answer_text(answer).startswith("[Thinking]\nFirst I think.")
    dead = msgspec.structs.replace(answer, text="", reasoning="", error="The model died.")
    assert task_state.answer_text(dead) == "There is no answer: The model died."
    assert task_state.answer_text(None) == ""


# ---- differences


@given(_LINES, _LINES)
def test_a_difference_holds_every_line_once_in_its_order(one: list[str], other: list[str]) -> None:
    left, right = "\n".join(one), "\n".join(other)
    found = code_diff.diff(left, right)
    assert len(found.left) == len(found.right)
    for side, text in ((found.left, left), (found.right, right)):
        assert [line.number for line in side if line.number is not None] == list(
            range(len(code_diff.lines_of(text)))
        )
    for place in (0, 1):
        numbers = [line.numbers[place] for line in found.unified if line.numbers[place] is not None]
        assert numbers == list(range(len(code_diff.lines_of((left, right)[place]))))
    assert found.is_same == (code_diff.lines_of(left) == code_diff.lines_of(right))


@given(st.text("ab (=", max_size=30), st.text("ab (=", max_size=30))
def test_what_is_not_marked_in_two_lines_is_the_same(one: str, other: str) -> None:
    spans = code_diff.word_spans(one, other)
    rests = []
    for text, marked in zip((one, other), spans, strict=True):
        inside = {place for start, end in marked for place in range(start, end)}
        rests.append("".join(sign for place, sign in enumerate(text) if place not in inside))
    assert rests[0] == rests[1]


def test_long_programs_are_still_compared() -> None:
    left = "\n".join(f"x{n} = {n}" for n in range(5000))
    found = code_diff.diff(left, left.replace("x9 = 9\n", "y = 0\n") + "\n" + "z" * 100_000)
    assert not found.is_same
    assert len(found.left) >= code_diff.MOST_LINES


# ---- under way


def test_a_run_goes_through_its_phases() -> None:
    state = _after(1)
    assert running_state.time_words(state)[0] == "Getting ready"
    assert running_state.lane_words(state.lane("A"), state)[0] == "Compact: checking the file, 40%"
    state = _after()
    assert running_state.time_words(state)[0].startswith("About ")
    assert running_state.lane_words(state.lane("A"), state)[0].endswith("then unloaded")
    assert "17 of 40 done" in running_state.lane_words(state.lane("B"), state)[0]
    assert state.shown == state.lane("B")
    assert running_state.task_words(state, state.lane("B"))[1:] == ("task 18 of 40", "156 tokens, 28 s")
    assert running_state.tail(state.lane("B")).endswith(".append(key")
    assert running_state.queue_words(state).startswith("22 queued for B")
    assert "57 of 80 answers" in running_state.status_words(state)


def test_the_tail_of_an_answer_is_plain_text() -> None:
    state = _after()
    lane = replace(state.lane("B"), text="\x1b[31m<b>x</b>\x00\n" * 30)
    shown = running_state.tail(lane)
    assert not set(shown) & {"\x1b", "\x00"}
    assert shown.count("\n") == 3


def test_a_lane_that_died_is_marked_and_the_other_goes_on() -> None:
    state = running_state.reduced(_after(), LaneEnded(LaneEnd("A", 9.0, 1, error="The engine was killed.")))
    text, role = running_state.lane_words(state.lane("A"), state)
    assert role == "bad"
    assert "The engine was killed." in text
    assert running_state.lane_pill(state.lane("B")) == ("Streaming", "run")


def test_newest_tasks_come_first_and_show_what_is_being_written() -> None:
    state = _after()
    assert state.data is not None
    rows = task_rows.newest_first(
        state.data, task_rows.with_live(task_rows.rows(state.data), running_state.live_cells(state))
    )
    assert [row.number for row in rows[:3]] == [18, 17, 16]
    assert rows[0].live
    assert rows[0].cells[1].pill == ("streaming", "run")
    assert rows[0].cells[1].tokens == 156
    assert len(rows) == 40


def test_an_ended_run_has_nothing_under_way() -> None:
    state = _after()
    assert state.data is not None
    over = running_state.reduced(state, RunFinished(End("", complete=False), state.data))
    assert over.over
    assert running_state.status_words(over) == ""


def test_paused_and_stopping_are_said() -> None:
    state = _after()
    assert running_state.run_pill(replace(state, paused=True))[0] == "Paused"
    assert running_state.time_words(replace(state, stopping=True))[0] == "Stopping"
    assert state.lane("A").phase is Phase.DONE


# ---- the form


def _form(**changes: object) -> StartState:
    suite = KnownSuite("starter", "Starter", "1", 29, "MIT", "shipped")
    state = StartState(models=(), suites=(suite,), chosen=29, tasks=29, sandbox=SAFE)
    state = start_state.with_models(state, (runs.LARGER, runs.COMPACT))
    return replace(state, **changes)  # type: ignore[arg-type]


def test_the_smallest_model_is_the_compact_one() -> None:
    state = _form()
    assert (state.form.compact, state.form.larger) == (runs.COMPACT.path, runs.LARGER.path)
    assert start_state.why_not(state) == ""
    wish = start_state.wish(state)
    assert wish is not None
    assert [model.name for model in wish.models] == ["Compact 27B", "Larger 72B"]
    assert wish.settings.margin == 0.10


@pytest.mark.parametrize(
    ("changes", "words_"),
    [
        ({"models": None}, "being looked for"),
        ({"models": ()}, "Library"),
        ({"form": Form(compact="/x", larger=runs.LARGER.path)}, "Choose a compact model"),
        ({"form": Form(compact=runs.LARGER.path, larger=runs.LARGER.path)}, "two different models"),
        ({"blocked": "Compare is answering."}, "Compare is answering."),
        ({"running": "A run is under way."}, "under way"),
        ({"problem": "No task of starter fits zz.", "chosen": None}, "No task of starter"),
        ({"chosen": None}, "being read"),
        ({"suites": (KnownSuite("starter", "S", "1", 3, "MIT", "hub"),)}, "fetch it first"),
    ],
)
def test_what_a_run_has_to_wait_for(changes: dict[str, object], words_: str) -> None:
    state = _form(**changes)
    assert words_ in start_state.why_not(state)
    assert start_state.wish(state) is None


def test_one_model_alone_is_a_run_too() -> None:
    wish = start_state.wish(_form(form=Form(compact=runs.COMPACT.path, larger="")))
    assert wish is not None
    assert len(wish.models) == 1


def test_the_form_says_what_the_run_takes_and_can_show() -> None:
    state = _form()
    assert "29 tasks × 2 models = 58 answers" in start_state.work_words(state)
    assert "29 tasks can show a gap of" in start_state.power_words(state)
    assert "margin of 10 points" in start_state.power_words(state)
    assert start_state.tasks_words(replace(state, chosen=3)) == ("3 of 29 tasks", "small")


def test_without_a_sandbox_nothing_runs_by_itself_and_says_what_to_do() -> None:
    heading, text, is_safe = start_state.sandbox_words(_form(sandbox=NONE))
    assert not is_safe
    assert "not tested" in heading
    assert "Automatic testing is off" in text
    assert "resumed" in text


def test_models_in_memory_are_named() -> None:
    assert "Tiny is in memory" in start_state.loaded_words(_form(loaded=("Tiny",)))
    assert "Tiny and Other are" in start_state.loaded_words(_form(loaded=("Tiny", "Other")))
    assert start_state.loaded_words(_form()) == ""


def test_a_damaged_run_is_listed_with_its_reason() -> None:
    run = RunFile("/runs/x.jsonl", None, 3, 0.0, problem="It is no run file, or damaged.")
    assert start_state.run_line(run) == "x.jsonl"
    assert start_state.run_models(run) == "It is no run file, or damaged."
    assert start_state.run_pill(run) == ("damaged", "bad")


@given(st.text(max_size=300))
def test_one_line_is_one_line(text: str) -> None:
    shown = words.one_line(text, 50)
    assert len(shown) <= 50
    assert len(shown.splitlines()) <= 1
    assert not set(shown) & set(map(chr, (*range(32), 127, 0x202E)))
