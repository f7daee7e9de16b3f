"""Reports: readable without the app, and nothing in them is markup that a model wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from playground.bench import report
from playground.bench.outcome import CaseResult, Extracted, Outcome
from playground.bench.picture import DARK, LIGHT, difference_plot, paired_bars, score_bars, verdict_pictures
from playground.bench.record import Entry, RunSettings
from playground.bench.report_html import html
from playground.bench.report_markdown import markdown
from playground.bench.run_data import RunData
from playground.bench.verdict import verdict
from playground.errors import PlaygroundError
from tests.support import runs

_HOSTILE = (
    "</pre></td><script>alert(1)</script><img src=x onerror=alert(2)>\n```\n# Heading\n"
    "[link](javascript:alert(3)) \x1b[31mred\x00 \u202eback | pipe &amp; 'quote' \"double\"\n~~~\n````\n"
)


def _hostile() -> RunData:
    """Return a run in which everything that can come from outside is an attack."""
    base = runs.header(2, caution=_HOSTILE)
    model = msgspec.structs.replace(runs.COMPACT, name=_HOSTILE, ref=_HOSTILE)
    lanes = (msgspec.structs.replace(base.lanes[0], model=model), base.lanes[1])
    infos = tuple(
        msgspec.structs.replace(i, prompt=_HOSTILE, title=_HOSTILE, topic=_HOSTILE) for i in base.task_infos
    )
    header = msgspec.structs.replace(base, lanes=lanes, task_infos=infos, suite_title=_HOSTILE)
    result = runs.result("A", 0, Outcome.WRONG)
    case = CaseResult(_HOSTILE, False, _HOSTILE, _HOSTILE, _HOSTILE)
    judged = msgspec.structs.replace(result.judged, cases=(case,), message=_HOSTILE, log=_HOSTILE)
    extracted = Extracted(_HOSTILE, _HOSTILE)
    answer = msgspec.structs.replace(runs.answer("A", 0, text=_HOSTILE), reasoning=_HOSTILE)
    lines: list[Entry] = [answer, msgspec.structs.replace(result, judged=judged, extracted=extracted)]
    failed = msgspec.structs.replace(runs.answer("A", 1), stop="error", error=_HOSTILE)
    other: list[Entry] = [runs.answer("B", 0), runs.result("B", 0, Outcome.PASS)]
    return RunData(header).with_entries([*lines, failed, *other])


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def test_nothing_that_was_written_by_a_model_is_markup_in_html() -> None:
    data = _hostile()
    text = html(data, verdict(data))
    tags = _Tags()
    tags.feed(text)
    assert not {"script", "img", "iframe", "link"} & tags.seen
    assert not any(name.startswith("on") for name in tags.attributes)
    assert all(link.startswith("#task-") for link in tags.links)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e]", text)
    assert "&lt;script&gt;alert(1)" in text


def test_nothing_that_was_written_by_a_model_is_markup_in_markdown() -> None:
    data = _hostile()
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown(data, verdict(data)))
    flat = [inner for token in tokens for inner in (token, *(token.children or ()))]
    markup = {token.content.strip() for token in flat if token.type in ("html_inline", "html_block")}
    assert markup <= {"<details><summary>Whole answer</summary>", "</details>"}
    assert not [token for token in flat if token.type in ("link_open", "image")]
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    assert "Heading" not in headings


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_a_report_holds_what_repeats_and_explains_the_run(form: str) -> None:
    data = runs.run(3, 1, 2, 1, settings=RunSettings(margin=0.05, seed=77))
    found = verdict(data)
    text = html(data, found) if form == "html" else markdown(data, found)
    for wanted in (
        "A" * 64,
        "f" * 64,
        "77",
        "llama-cpp-python 0.3.36",
        "A processor",
        "Compact 27B",
        "task-3",
    ):
        assert wanted in text
    for sentence in found.sentences:
        assert sentence[:40].replace(".", "") in text.replace("\\", "").replace(".", "")
    assert "return a + b" in text
    assert "Write task-" in text


def test_tasks_that_tell_the_lanes_apart_come_first() -> None:
    solved = [row.solved_by for row in report.rows(runs.run(2, 1, 1, 1))]
    assert solved == ["only A", "only B", "both", "both", "neither"]


def test_programs_are_compared_line_by_line() -> None:
    data = runs.run(1, 0, 0, 0)
    other = msgspec.structs.replace(
        data.results["B", "task-0", 0], extracted=Extracted("def add(a, b):\n    return b + a\n", "")
    )
    data = data.with_entries([other])
    diff = report.code_diff(data, "task-0")
    assert "-    return a + b" in diff
    assert "+    return b + a" in diff
    assert "return b + a" in html(data, verdict(data))


def test_a_report_of_an_unfinished_run_says_so() -> None:
    data = RunData(runs.header(3))
    text = html(data, verdict(data))
    assert "not complete" in text
    assert "No answer has been judged yet." in text
    assert markdown(data, verdict(data)).startswith("# A tiny suite: Nothing to compare yet")


def test_huge_answers_are_cut_in_the_report() -> None:
    data = RunData(runs.header(1)).with_entries([runs.answer("A", 0, text="x" * 5_000_000)])
    text = html(data, verdict(data))
    assert len(text) < 200_000
    assert "4,980,000 more characters are in the run file" in text


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlaygroundError, match="cannot be written"):
        report.write(runs.run(1, 0, 0, 0), tmp_path / "no" / "report.html", "html")
    report.write(runs.run(1, 0, 0, 0), tmp_path / "report.html", "html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


_CELLS = st.integers(0, 80)


@given(_CELLS, _CELLS, _CELLS, _CELLS, st.sampled_from([0.0, 0.05, 0.5, 1.0]))
@settings(max_examples=30, deadline=None)
def test_pictures_are_whole_and_stay_in_their_frame(
    both: int, small: int, large: int, neither: int, margin: float
) -> None:
    if not both + small + large + neither:
        return
    found = verdict(runs.run(both, small, large, neither, settings=RunSettings(margin=margin)))
    for picture in verdict_pictures(found):
        root = ET.fromstring(picture)
        width, height = float(root.get("width", "0")), float(root.get("height", "0"))
        for x, y in _places(root):
            assert -1 <= x <= width + 1
            assert -1 <= y <= height + 1


def _places(root: ET.Element) -> Iterator[tuple[float, float]]:
    for each in root.iter():
        for x, y in (("x", "y"), ("x1", "y1"), ("x2", "y2"), ("cx", "cy")):
            if each.get(x) is not None:
                yield float(each.get(x, "")), float(each.get(y, "0"))
        if each.tag.endswith("rect"):
            yield float(each.get("x", "")) + float(each.get("width", "")), float(each.get("y", ""))


def test_pictures_have_the_colours_of_a_theme() -> None:
    pair = verdict(runs.run(3, 2, 5, 1)).pair
    assert pair is not None
    assert LIGHT.small in paired_bars(pair)
    assert DARK.small in paired_bars(pair, DARK)
    assert "var(" not in difference_plot(pair, DARK)


def test_pictures_say_in_words_what_they_show() -> None:
    found = verdict(runs.run(3, 2, 5, 1))
    assert found.pair is not None
    assert "only A 2, only B 5" in paired_bars(found.pair)
    assert "Larger 72B solved 8 of 11" in score_bars(found.scores)
