"""The transcript: the same document however the text was chunked, the same cost at any length."""

from __future__ import annotations

import random
import time
from statistics import median

import pytest
from pytestqt.qtbot import QtBot

from playground.ui.transcript import TranscriptView

_RICH = (
    "### Title\n\nSome *prose* with **words**, `code` and [a link](http://x).\n\n```python\ndef f(x):\n"
    '    """Doc."""\n    return x <= 1  # end\n```\n\n- one\n- two\n  - nested\n\n1. first\n2. second\n\n'
    "| a | b |\n|---|---|\n| 1 | `two` |\n\n> a quote\n\n~~~js\nconst x = 1;\n~~~\nEnd."
)
_HOSTILE = (
    "word " * 900
    + "\n\n- item "
    + "x" * 4000
    + "\n```\n"
    + "y" * 5000
    + "\n"
    + "> " * 200
    + "deep\n"
    + "`" * 3000
)


def _view(qtbot: QtBot) -> TranscriptView:
    view = TranscriptView()
    qtbot.addWidget(view)
    view.resize(578, 600)
    return view


def _blocks(view: TranscriptView) -> list[tuple[str, float, float]]:
    found, block = [], view.document().firstBlock()
    while block.isValid():
        made = block.blockFormat()
        found.append((block.text(), made.leftMargin(), made.topMargin()))
        block = block.next()
    return found


@pytest.mark.parametrize(
    "text", [_RICH, _HOSTILE, _RICH.replace("\n", "\r\n")], ids=["rich", "hostile", "crlf"]
)
@pytest.mark.parametrize("seed", range(6))
def test_chunks_do_not_change_the_document(qtbot: QtBot, text: str, seed: int) -> None:
    whole, cut = _view(qtbot), _view(qtbot)
    whole.feed(text)
    whole.finish()
    chance, place = random.Random(seed), 0
    while place < len(text):
        size = chance.randint(1, 7 if seed % 2 else 90)
        cut.feed(text[place : place + size])
        place += size
    cut.finish()
    assert _blocks(cut) == _blocks(whole)


@pytest.mark.parametrize("kind", ["prose", "code"])
def test_a_frame_costs_the_same_at_any_length(qtbot: QtBot, kind: str) -> None:
    line = "    total = sorted(values)[0]  # smallest\n"
    source = (_RICH + "\n\n") * 400 if kind == "prose" else "```python\n" + line * 3300
    views = {2_000: _view(qtbot), 122_000: _view(qtbot)}
    costs: dict[int, list[float]] = {length: [] for length in views}
    for length, view in views.items():
        view.show()
        view.feed(source[:length])
    for step in range(0, 6_000, 66):  # side by side, so that what else the machine does costs both
        for length, view in views.items():
            started = time.thread_time()
            view.feed(source[length + step : length + step + 66])
            costs[length].append(time.thread_time() - started)
    assert median(costs[122_000]) < 1.5 * median(costs[2_000])


def test_a_reader_who_scrolled_up_stays_there(qtbot: QtBot) -> None:
    view = _view(qtbot)
    view.show()
    view.feed(_RICH * 6)
    bar = view.verticalScrollBar()
    assert bar.value() == bar.maximum()
    bar.setValue(10)
    view.feed(_RICH * 3)
    assert bar.value() == 10
    assert not view.following


def test_reasoning_is_a_bar_that_opens(qtbot: QtBot) -> None:
    view = _view(qtbot)
    view.add_user("Hi")
    view.begin_answer()
    view.feed_reasoning("because of ")
    view.feed_reasoning("rea")
    view.feed_reasoning("sons")
    assert "3 words" in view.toPlainText()
    view.feed("The answer.")
    view.finish()
    assert "because" not in view.toPlainText()
    view.toggle_reasoning()
    assert "because of reasons" in view.toPlainText()
    assert "The answer." in view.toPlainText()
    view.remove_last_answer()
    assert view.toPlainText() == "Hi"
