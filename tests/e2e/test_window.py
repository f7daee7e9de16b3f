"""The real window in a real X server: two real models answer what is typed and pressed through AT-SPI alone."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playground import preflight
from tests.e2e.desktop import Desktop, missing_packages
from tests.e2e.reader import Reader
from tests.support.tiny_gguf import build

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X and AT-SPI are Linux's")

_THOUGHT = "Twice a number is the number and itself."
_CODE = "Here you are:\npython\ndef double(x):\n    return 2 * x"
_WORDS = "Just add the number to itself."
_ROLES = {
    "Prompt": "text",
    "Run both": "button",
    **{f"{what} {slot}": "button" for what in ("Model", "Stop", "Regenerate") for slot in "AB"},
    "Answer A": "text",
    "Answer B": "text",
}
_ENDLESS_CTX = 65_536
_FRAMES_S = 0.1
Opened = Callable[..., Reader]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return models that say what is known: one thinks and writes code, one is brief, one never ends."""
    folder = tmp_path_factory.mktemp("models")
    code = "Here you are:\n\n```python\ndef double(x):\n    return 2 * x\n```\n"
    thinking = f"<think>\n{_THOUGHT}\n</think>\n\n{code}"
    endless = "A few more words of this. And some others beside it.\n\nThen comes the next part.\n\n"
    return {
        "thinker": build("qwen3", folder / "thinker.gguf", script=thinking),
        "brief": build("llama", folder / "brief.gguf", script=_WORDS),
        "endless": build("llama", folder / "endless.gguf", script=endless, endless=True, ctx=_ENDLESS_CTX),
    }


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Open the window with two models; all that was started has ended when the test has."""
    _need_a_desktop(monkeypatch)
    with tempfile.TemporaryDirectory(prefix="playground-") as name:  # short: a socket's path has 108 bytes
        with Desktop(Path(name)) as desktop:
            yield lambda *models, on_disk=(): Reader(desktop, models, Path(name), on_disk)
        assert not list(desktop.processes())


def _need_a_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("QT_QPA_PLATFORM", "xcb")
        libraries = [p.sentence for p in preflight.window_problems() if p.kind == "library"]
    packages = missing_packages()
    if not packages and not libraries:
        return
    line = f"sudo apt install {' '.join(packages)}" if packages else ""
    reason = f"no desktop for the window: {' '.join([*libraries, line])}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def test_a_prompt_is_typed_answered_again_and_followed_up(opened: Opened, models: dict[str, Path]) -> None:
    reader = opened(models["thinker"], models["brief"])
    reader.until(lambda: _states(reader) == ["Ready", "Ready"], "both models ready")
    _assert_names(reader)

    reader.type("Prompt", "Double it")
    assert reader.text("Prompt") == "Double it"
    reader.press("Run both")
    assert reader.text("Prompt") == ""
    _wait_for_answers(reader)
    first, thought, answer = reader.text("Answer A").split("\n", 2)
    assert (first, answer) == ("Double it", _CODE)
    assert "Thought" in thought
    assert _THOUGHT not in thought
    assert reader.text("Answer B") == f"Double it\n{_WORDS}"
    assert not _unnamed(reader), "with answers"
    reader.screenshot("two-answers")

    reader.press("Regenerate A")
    reader.until(lambda: _lanes_with(reader, "prompt tokens reused") == {"Lane A"}, "answer A again")
    _wait_for_answers(reader)
    again = reader.text("Answer A")
    assert again.startswith("Double it\n")
    assert again.count("Double it") == again.count(_CODE) == 1
    assert reader.text("Answer B") == f"Double it\n{_WORDS}"

    reader.type("Prompt", "And once more")
    reader.press("Run both")
    reader.until(lambda: _lanes_with(reader, "prompt tokens reused") == {"Lane A", "Lane B"}, "follow-up")
    _wait_for_answers(reader)
    followed = reader.text("Answer A")
    assert followed.startswith(f"{again}\nAnd once more\n")
    assert followed.count(_CODE) == 2
    assert reader.text("Answer B") == f"Double it\n{_WORDS}\nAnd once more\n{_WORDS}"
    _assert_closes(reader)


def test_endless_answers_are_stopped_one_by_one_and_by_escape(
    opened: Opened, models: dict[str, Path]
) -> None:
    reader = opened(models["endless"], models["endless"])
    reader.until(lambda: _states(reader) == ["Ready", "Ready"], "both models ready")
    for slot in "AB":
        _let_answer_for_ever(reader, slot)

    _run_until_both_stream(reader, "Go on")
    reader.press("Stop B")
    reader.until(lambda: reader.state("B") == "Stopped", "B stopped")
    going_on = reader.text("Answer A")
    reader.until(lambda: len(reader.text("Answer A")) > len(going_on), "A goes on")
    assert reader.state("A") == "Streaming"
    assert "enabled" in reader.named("Stop A").states
    assert "enabled" not in reader.named("Stop B").states
    stopped = reader.text("Answer B")
    assert "A few more words of this." in stopped
    reader.press("Stop A")
    reader.until(lambda: reader.state("A") == "Stopped", "A stopped")
    assert reader.text("Answer B") == stopped

    _run_until_both_stream(reader, "And again")
    reader.press_escape()
    reader.until(lambda: _states(reader) == ["Stopped", "Stopped"], "both stopped by Esc")

    _run_until_both_stream(reader, "Now close")
    _assert_closes(reader)


def test_a_model_is_chosen_in_the_picker_and_the_prompt_is_measured(
    opened: Opened, models: dict[str, Path]
) -> None:
    on_disk = [models["thinker"], models["brief"]]
    reader = opened(models["endless"], models["brief"], on_disk=on_disk)
    reader.until(lambda: _states(reader) == ["Ready", "Ready"], "both models ready")
    reader.press("Model A")
    reader.until(lambda: "Filter models A" in reader.names(), "the picker")
    assert not _unnamed(reader), "in the picker"
    assert {"Models A", "Use A"} <= set(reader.names())
    listed = [node.name for node in reader.nodes() if "Models A" in node.within]
    assert len(listed) == 2
    reader.screenshot("picker")
    reader.type("Filter models A", "TINY f32")
    reader.until(lambda: "2 models" in _described(reader, "Filter models A"), "the filter")
    reader.select("Models A", "tiny-qwen3-script, ")
    reader.press("Use A")
    reader.until(lambda: "Filter models A" not in reader.names(), "the picker is put away")
    reader.until(lambda: reader.state("A") == "Ready", "the model")

    reader.type("Prompt", "Double it")
    reader.press("Run both")
    _wait_for_answers(reader)
    assert reader.text("Answer A").endswith(_CODE)
    assert reader.named("Size of the prompt").name == "Size of the prompt"
    reader.type("Prompt", "And once more")
    reader.until(lambda: " tokens" in reader.named("Size of the prompt").name, "the size of the prompt")
    said = reader.named("Size of the prompt").name
    assert re.search(r"A \d+ of [\d,]+ tokens · B \d+ of [\d,]+$", said)
    reader.type("Prompt", "word " * 20_000)
    reader.until(lambda: "do not fit" in reader.named("Size of the prompt").name, "a prompt that is too long")
    _assert_closes(reader)


def _described(reader: Reader, name: str) -> str:
    return reader.named(name).description


def _wait_for_answers(reader: Reader) -> None:
    reader.until(lambda: _states(reader) == ["Done", "Done"], "two answers")
    time.sleep(_FRAMES_S)  # the page's timer brings the last words after the state


def _let_answer_for_ever(reader: Reader, slot: str) -> None:
    title = f"Settings of lane {slot}"
    reader.press(f"Settings {slot}")
    reader.until(lambda: any(name.startswith(title) for name in reader.names()), "the settings")
    assert not _unnamed(reader), "in the settings"
    reader.set_value("Context, tokens", _ENDLESS_CTX)
    reader.set_value("Longest answer, tokens", 1_000_000)
    reader.press("Save")
    reader.until(lambda: not any(name.startswith(title) for name in reader.names()), "settings closed")


def _run_until_both_stream(reader: Reader, prompt: str) -> None:
    reader.type("Prompt", prompt)
    reader.press("Run both")
    reader.until(lambda: _states(reader) == ["Streaming", "Streaming"], "both streaming")


def _assert_names(reader: Reader) -> None:
    reader.until(lambda: "active" in reader.named("Compare — Playground").states, "an active window")
    nodes = reader.nodes()
    roles = {(node.name, node.role) for node in nodes if "showing" in node.states}
    assert roles >= set(_ROLES.items())
    frames = [node.name for node in nodes if node.role == "frame"]
    assert frames == ["Compare — Playground"]
    assert not _unnamed(reader)
    names = reader.names()
    assert "Plan: automatic" in names
    assert names.index("Model A") < names.index("Answer A") < names.index("Model B"), (
        "read from left to right"
    )
    editable = {node.name for node in nodes if "editable" in node.states}
    assert editable == {"Prompt"}


def _unnamed(reader: Reader) -> list[str]:
    return [
        f"{node.role} in {node.within}"
        for node in reader.nodes()
        if "showing" in node.states
        and not node.name.strip()
        and (node.role == "button" or "focusable" in node.states or "Press" in node.actions)
    ]


def _assert_closes(reader: Reader) -> None:
    assert reader.engines()
    assert reader.close_window() == 0
    assert reader.engines() == []
    assert "Traceback" not in reader.errors()
    logged = reader.log.read_text(encoding="utf-8").splitlines() if reader.log.exists() else []
    assert not [line for line in logged if {"WARNING", "ERROR", "CRITICAL"} & set(line.split())]


def _states(reader: Reader) -> list[str]:
    return [reader.state(slot) for slot in "AB"]


def _lanes_with(reader: Reader, words: str) -> set[str]:
    return {node.within[-1] for node in reader.nodes() if words in node.name}
