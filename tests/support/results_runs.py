"""A believable run for the Results screen: 40 tasks, a compact and a larger model, every way an answer can end."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from playground.bench.events import (
    Answered,
    BenchEvent,
    JudgeBegun,
    JudgeDone,
    LaneEnded,
    LaneLoaded,
    LanePhase,
    Phase,
    RunBegun,
    TaskBegun,
    TaskText,
)
from playground.bench.outcome import CaseResult, Extracted, Judged, Outcome
from playground.bench.pace import time_left
from playground.bench.record import (
    Answer,
    End,
    Entry,
    Header,
    LaneEnd,
    LaneInfo,
    LaneLoad,
    Result,
    RunSettings,
    TaskInfo,
)
from playground.bench.run_data import RunData
from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.compare.events import Plan
from playground.engines.protocol import Timings, Usage
from tests.support import runs

PROMPT = (
    "Write top_k_words(text, k): return the k most frequent words of text, lower-cased, most frequent first. Words of "
    "equal count come in alphabetical order. A word is a run of letters or apostrophes. If there are fewer than k "
    "different words, return them all."
)
CODE_A = '''import re
from collections import Counter

def top_k_words(text, k):
    """Return the k most common words."""
    words = re.findall(r"[a-z']+", text.lower())
    counts = Counter(words)
    ranked = sorted(counts, key=counts.get, reverse=True)
    return ranked[:k]
'''
CODE_B = '''import re
from collections import Counter

def top_k_words(text, k):
    """Return the k most frequent words, ties A-Z."""
    words = re.findall(r"[a-z']+", text.lower())
    if not words:
        return []
    counts = Counter(words)
    ranked = sorted(counts, key=lambda w: (-counts[w], w))
    return ranked[:k]
'''
_CASES = (
    ('"a b a", 1', '["a"]', '["a"]'),
    ('"", 3', "[]", "[]"),
    ('"pear fig apple fig pear", 2', '["fig", "pear"]', '["pear", "fig"]'),
    ("\"Don't stop, don't\", 5", '["don\'t", "stop"]', '["don\'t", "stop"]'),
    ('"b a c", 2', '["a", "b"]', '["b", "a"]'),
    ('"One one ONE two", 2', '["one", "two"]', '["one", "two"]'),
)
_W, _C, _T, _N, _P = Outcome.WRONG, Outcome.CUT_OFF, Outcome.TIMEOUT, Outcome.NO_CODE, Outcome.PASS
_APART: tuple[tuple[str, Outcome, Outcome, str], ...] = (
    *(("top_k_words", _W, _P, "strings"), ("parse_duration", _W, _P, "parsing")),
    *(("lru_cache_ttl", _C, _P, "classes"), ("toposort_stable", _W, _P, "graphs")),
    *(("csv_unquote", _W, _P, "parsing"), ("matrix_spiral", _N, _P, "arrays")),
    *(("edit_distance_ops", _T, _P, "dynamic"), ("roman_strict", _W, _P, "strings")),
    *(("merge_intervals", _P, _W, "arrays"), ("flatten_json", _P, _T, "recursion")),
    ("bank_rounding", _P, _W, "numbers"),
    *(("regex_mini", _W, _W, "parsing"), ("sudoku_unique", _T, _T, "search")),
    *(("calendar_rrule", _W, _W, "dates"), ("interval_tree", _C, _C, "classes")),
    *(("expr_simplify", _C, _W, "parsing"), ("skyline", _N, _W, "arrays")),
)
_BOTH = (
    *("two_sum_pairs", "balanced_brackets", "rotate_matrix", "anagram_groups"),
    *("binary_search_left", "prime_sieve", "caesar_cipher", "gcd_lcm"),
    *("run_length", "fizz_words", "palindrome_pairs", "unique_paths"),
    *("word_wrap", "chunk_list", "dict_invert", "hex_dump"),
    *("leap_years", "longest_common_prefix", "moving_average", "snake_to_camel"),
    *("stack_min", "transpose_csv", "zip_longest_fill"),
)
_TOPICS = ("arrays", "strings", "numbers", "recursion", "parsing")


def tasks() -> list[tuple[str, Outcome, Outcome, str]]:
    """Return the tasks in the order of the run: name, how each lane ended, topic."""
    found = [*_APART, *((name, _P, _P, _TOPICS[n % 5]) for n, name in enumerate(_BOTH))]
    random.Random(5).shuffle(found)
    return found


def header(settings: RunSettings | None = None) -> Header:
    """Return the first line."""
    chosen = tasks()
    models = (
        msgspec.structs.replace(runs.COMPACT, quant="Q2_K", size_bytes=11_000_000_000),
        msgspec.structs.replace(runs.LARGER, size_bytes=46_000_000_000),
    )
    begun = runs.header(0, models=models, settings=settings)
    answer = AnswerOptions(Sampling(temperature=0.0), max_tokens=2048)
    return msgspec.structs.replace(
        begun,
        started_at="2026-11-24T14:10:00+00:00",
        suite_id="starter",
        suite_title="Starter pack",
        tasks=tuple(name for name, *_ in chosen),
        lanes=tuple(
            LaneInfo(slot, model, slot.lower() * 64, "", LoadOptions(n_ctx=8192), answer)
            for slot, model in zip("AB", models, strict=True)
        ),
        task_infos=tuple(
            TaskInfo(name, name, "python", 2, topic, PROMPT, entry_point=name, cases=len(_CASES))
            for name, _a, _b, topic in chosen
        ),
        suite_tasks=len(chosen),
    )


def answer(slot: str, task: str, outcome: Outcome, lane_s: float, seed: int) -> Answer:
    """Return an answer."""
    chance = random.Random(seed)
    speed = (31.2 if slot == "A" else 6.1) * chance.uniform(0.94, 1.06)
    count = 2048 if outcome is Outcome.CUT_OFF else chance.randint(150, 520)
    first_s = 0.6 if slot == "A" else 2.1
    code = _code(slot, task)
    return Answer(
        *(slot, task, 0, f"Here is the function.\n\n```python\n{code}```\nIt sorts by count.\n", ""),
        stop="length" if outcome is Outcome.CUT_OFF else "end",
        usage=Usage(120, 0, count),
        timings=Timings(first_token_s=first_s, decode_s=count / speed, decode_tokens_per_s=speed),
        seed=42,
        lane_s=lane_s,
    )


def _code(slot: str, task: str) -> str:
    return (CODE_A if slot == "A" else CODE_B).replace("top_k_words", task)


def result(slot: str, task: str, outcome: Outcome) -> Result:
    """Return what the judge said."""
    if outcome in (Outcome.CUT_OFF, Outcome.NO_CODE):
        how = {
            Outcome.CUT_OFF: "The answer reached its limit of 2,048 tokens inside the code.",
            Outcome.NO_CODE: "The answer holds no code block, and none of its text is a program.",
        }[outcome]
        return Result(slot, task, 0, Extracted("", how, outcome), Judged(outcome, total=6, message=how))
    passed = outcome is Outcome.PASS
    cases = tuple(
        CaseResult(str(n), got == expected or passed, given, expected, expected if passed else got)
        for n, (given, expected, got) in enumerate(_CASES, 1)
    )
    messages = {_W: "A test got another value.", _T: "It ran longer than 8 s.", _P: ""}
    return Result(
        slot,
        task,
        0,
        Extracted(_code(slot, task), f"The only fenced block; it defines {task}."),
        Judged(
            outcome,
            cases,
            sum(case.passed for case in cases),
            6,
            messages.get(outcome, ""),
            "" if passed else "debug: \x1b[31mranked\x1b[0m <b>not bold</b>\n",
            0.04,
            14_000_000,
            "bubblewrap",
        ),
    )


def lane_entries(slot: str, count: int | None = None, *, ends: bool = True) -> list[Entry]:
    """Return the lines of one lane, of as many tasks as wanted."""
    peak = 11_400_000_000 if slot == "A" else 47_200_000_000
    found: list[Entry] = [
        LaneLoad(slot, 6.2 if slot == "A" else 31.0, peak, 1, 1, 1, 80 if slot == "A" else 38, 8)
    ]
    lane_s = 0.0
    for number, (name, small, large, _topic) in enumerate(tasks()[:count]):
        outcome = small if slot == "A" else large
        one = answer(slot, name, outcome, 0.0, number + ord(slot) * 100)
        lane_s += (one.timings.first_token_s or 0.0) + one.timings.decode_s
        found += [msgspec.structs.replace(one, lane_s=lane_s), result(slot, name, outcome)]
    return [*found, LaneEnd(slot, lane_s, peak)] if ends else found


def whole() -> RunData:
    """Return a complete run: both 23, only compact 3, only larger 8, neither 6."""
    entries: Sequence[Entry] = [*lane_entries("A"), *lane_entries("B")]
    return RunData(header()).with_entries([*entries, End("2026-11-24T14:56:00+00:00", complete=True)])


def part() -> RunData:
    """Return a run that was stopped when the larger model had answered 17 tasks."""
    stopped = End("2026-11-24T14:40:00+00:00", complete=False, reason="stopped")
    return RunData(header()).with_entries([*lane_entries("A"), *lane_entries("B", 17), stopped])


def under_way() -> list[BenchEvent]:
    """Return the events of a run up to the middle of the larger model's 18th task."""
    before = RunData(header())
    plan = Plan("sequential", ("A", "B"), "One after the other: each model has the whole machine.")
    events: list[BenchEvent] = [LanePhase("A", Phase.HASHING, 0.4), RunBegun(before, plan)]
    data = before
    for slot, count in (("A", None), ("B", 17)):
        events.append(LanePhase(slot, Phase.LOADING, 0.5))
        for entry in lane_entries(slot, count, ends=slot == "A"):
            data = data.with_entries([entry])
            if isinstance(entry, LaneLoad):
                events.append(LaneLoaded(entry))
            elif isinstance(entry, Answer):
                events += [TaskBegun(slot, entry.task, (0,)), Answered(entry), time_left(data)]
            elif isinstance(entry, Result):
                events += [JudgeBegun(slot, entry.task, 0), JudgeDone(entry)]
            elif isinstance(entry, LaneEnd):
                events += [LaneEnded(entry), LanePhase(slot, Phase.DONE)]
    task = data.header.tasks[17]
    events.append(TaskBegun("B", task, (0,)))
    text = "```python\ninverted = {}\nfor key, value in mapping.items():\n    inverted.setdefault(value, []).append(key"
    for step in range(1, 41):
        piece = text if step == 40 else ""
        tokens = round(step * 4 * random.Random(step).uniform(0.95, 1.05)) if step < 40 else 156
        events.append(TaskText("B", task, 0, piece, "", tokens, step * 0.7))
    return events


def played(events: Sequence[BenchEvent]) -> RunData:
    """Return the run that events have led to."""
    data = next(event.data for event in events if isinstance(event, RunBegun))
    for event in events:
        if isinstance(event, Answered):
            data = data.with_entries([event.answer])
        elif isinstance(event, JudgeDone):
            data = data.with_entries([event.result])
    return data
