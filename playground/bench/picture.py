"""The verdict as pictures: paired bars, the difference with its interval, scores beside each other. SVG texts.

For a file of its own with the colours of a theme, or for a page with its variables. Texts from outside are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, floor
from typing import NamedTuple

from playground.bench.shown_text import harmless
from playground.bench.verdict import Pair, Score, Verdict
from playground.bench.words import number, points

WIDTH = 640


class Palette(NamedTuple):
    """Colours of a picture, as SVG takes them."""

    small: str
    large: str
    both: str
    neither: str
    text: str
    faint: str
    grid: str
    good: str


LIGHT = Palette("#3556d8", "#a3429b", "#6fa995", "#bfc3cd", "#1c2030", "#5f6678", "#dfe2ea", "#0f6b4a")
DARK = Palette("#7d97ff", "#d986d1", "#4f8f79", "#6b7080", "#e8eaf0", "#a3a9b8", "#343946", "#62c79f")
PAGE = Palette(*(f"var(--{name})" for name in Palette._fields))  # of a page that defines them, light and dark
_FONT = "font-family='Inter, system-ui, sans-serif'"
_LEAST_LABEL = 22


def paired_bars(pair: Pair, ink: Palette = LIGHT) -> str:
    """Return one bar of all tasks: both solved, only one, only the other, neither."""
    parts = [
        ("both solved", pair.both, ink.both, ink.text),
        (f"only {pair.small}", pair.only_small, ink.small, "#fff"),
        (f"only {pair.large}", pair.only_large, ink.large, "#fff"),
        ("neither", pair.neither, ink.neither, "#1c2030"),
    ]
    shown = [part for part in parts if part[1] > 0]
    room, left = WIDTH - 4 * (len(shown) - 1), 0.0
    body = []
    for label, value, colour, letters in shown:
        width = room * value / pair.tasks
        body.append(f"<rect x='{left:.1f}' y='24' width='{width:.1f}' height='28' rx='5' fill='{colour}'/>")
        if width >= _LEAST_LABEL:
            body.append(_text(left + width / 2, 43, number(value), letters, anchor="middle", bold=True))
        if width >= 7 * len(label):
            body.append(_text(left + 1, 16, label, ink.faint))
        left += width + 4
    words = ", ".join(f"{label} {number(value)}" for label, value, *_ in parts)
    return _svg(60, f"The same {pair.tasks} tasks: {words}", body)


def difference_plot(pair: Pair, ink: Palette = LIGHT) -> str:
    """Return the difference in points with its interval, zero, and the side within the margin."""
    reach = max(abs(pair.low), abs(pair.high), pair.margin, 0.05) * 1.1
    step = next(s for s in (0.05, 0.1, 0.2, 0.25, 0.5, 1.0) if 2 * reach / s <= 10 or s == 1.0)
    ends = (max(-1.0, floor(-reach / step) * step), min(1.0, ceil(reach / step) * step))

    def x(share: float) -> float:
        return 20 + (WIDTH - 40) * (share - ends[0]) / (ends[1] - ends[0])

    body = []
    body.append(
        f"<rect x='{x(-pair.margin):.1f}' y='24' width='{x(ends[1]) - x(-pair.margin):.1f}' height='52' "
        f"fill='{ink.good}' opacity='0.10'/>"
    )
    for index in range(round((ends[1] - ends[0]) / step) + 1):
        share = ends[0] + index * step
        text = "0 equal" if abs(share) < 1e-9 else points(share, signed=True)
        body.append(_line(x(share), 24, x(share), 76, ink.grid))
        body.append(_text(x(share), 92, text, ink.faint, anchor="middle"))
    margin = x(-pair.margin)
    body.append(_line(margin, 18, margin, 76, ink.good, more="stroke-dasharray='5 3' stroke-width='1.5'"))
    words = f"your margin: within {points(pair.margin)} points"
    body.append(_text(min(margin + 5, WIDTH - 190), 14, words, ink.good, bold=True))
    body.append(_whisker(x(pair.low), x(pair.high), x(pair.difference), 50, ink.text))
    body.append(_text(20, 110, f"← {pair.large} solves more", ink.faint))
    body.append(_text(WIDTH - 20, 110, f"{pair.small} solves more →", ink.faint, anchor="end"))
    told = (
        f"Difference {points(pair.difference, signed=True)} points, 95 % interval "
        f"{points(pair.low, signed=True)} to {points(pair.high, signed=True)}"
    )
    return _svg(116, told, body)


def score_bars(scores: Sequence[Score], ink: Palette = LIGHT) -> str:
    """Return a bar for each lane: the share that it solved, with its 95 % interval."""
    left, right = 30, WIDTH - 150
    colours = (ink.small, ink.large)

    def x(share: float) -> float:
        return left + (right - left) * share

    bottom = 34 * len(scores)
    body = []
    for quarter in range(5):
        body.append(_line(x(quarter / 4), 0, x(quarter / 4), bottom, ink.grid))
        body.append(_text(x(quarter / 4), bottom + 16, f"{25 * quarter} %", ink.faint, anchor="middle"))
    for index, score in enumerate(scores):
        top, colour = 34 * index, colours[index % 2]
        body.append(_text(6, top + 21, score.slot, colour, bold=True))
        if not score.tasks:
            continue
        width = x(score.share) - left
        body.append(
            f"<rect x='{left}' y='{top + 6}' width='{width:.1f}' height='20' rx='4' fill='{colour}' opacity='0.25'/>"
        )
        body.append(_whisker(x(score.low), x(score.high), x(score.share), top + 16, colour))
        solved = f"{number(score.solved)}/{score.tasks} · {100 * score.low:.0f}–{100 * score.high:.0f} %"
        body.append(_text(right + 12, top + 21, solved, ink.text))
    told = "; ".join(f"{score.name} solved {number(score.solved)} of {score.tasks}" for score in scores)
    return _svg(bottom + 24, told, body)


def verdict_pictures(found: Verdict, ink: Palette = LIGHT) -> tuple[str, ...]:
    """Return all pictures of a verdict, the most telling first."""
    scores = (score_bars(found.scores, ink),)
    if found.pair is None:
        return scores
    return paired_bars(found.pair, ink), difference_plot(found.pair, ink), *scores


def _svg(height: float, told: str, body: Sequence[str]) -> str:
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height:.0f}' width='{WIDTH}' "
        f"height='{height:.0f}' role='img' aria-label='{_safe(told)}'><title>{_safe(told)}</title>"
        f"{''.join(body)}</svg>"
    )


def _text(x: float, y: float, text: str, colour: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = " font-weight='600'" if bold else ""
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' {_FONT} font-size='12'{weight} fill='{colour}' text-anchor='{anchor}'>"
        f"{_safe(text)}</text>"
    )


def _safe(text: str) -> str:
    return escape(harmless(text).replace("\n", " "))


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, more: str = "") -> str:
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' {more}/>"


def _whisker(low: float, high: float, middle: float, y: float, colour: str) -> str:
    width = "stroke-width='2'"
    ends = "".join(_line(end, y - 5, end, y + 5, colour, more=width) for end in (low, high))
    return f"{_line(low, y, high, y, colour, more=width)}{ends}<circle cx='{middle:.1f}' cy='{y}' r='5' fill='{colour}'/>"
