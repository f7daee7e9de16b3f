"""Reasoning and answer through the real worker: told apart exactly, limited, switched by the template's keywords."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from playground.chat.options import AnswerOptions, LoadOptions
from playground.engines.protocol import Chunk, PromptProgress
from tests.support.engines import answered, asked, running
from tests.support.tiny_gguf import build
from tests.support.tiny_script import cut
from tests.support.tiny_vocabulary import DIALECTS

THOUGHT = "First 日本語, then 🎉 <b>tags</b> & a list."
ANSWER = "So 🎉, in code:\n```python\nprint('こんにちは')\n```\nDone, that was all."
ANALYSIS, FINAL = "<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"
CASES = {
    "the model opens its reasoning": (
        "qwen3",
        f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}",
        (THOUGHT, ANSWER),
    ),
    "tags of several tokens": ("llama", f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}", (THOUGHT, ANSWER)),
    "the prompt opens the reasoning": ("qwen35", f"{THOUGHT}\n</think>\n\n{ANSWER}", (THOUGHT, ANSWER)),
    "reasoning that never ends": ("qwen35", THOUGHT, (THOUGHT, "")),
    "an orphan closing tag is text": ("qwen3", f"A tag</think>{ANSWER}", ("", f"A tag</think>{ANSWER}")),
    "tags in an answer are text": (
        "qwen3",
        "Use <think>tags</think> like these",
        ("", "Use <think>tags</think> like these"),
    ),
    "no reasoning": ("qwen3", ANSWER, ("", ANSWER)),
    "harmony": ("gpt-oss", f"{ANALYSIS}{THOUGHT}{FINAL}{ANSWER}", (THOUGHT, ANSWER)),
    "harmony without reasoning": ("gpt-oss", f"<|channel|>final<|message|>{ANSWER}", ("", ANSWER)),
    "harmony without channels": ("gpt-oss", ANSWER, ("", ANSWER)),
}
CLOSED = "The reasoning was closed at its limit, so that the model could answer."


@pytest.mark.parametrize("case", CASES)
def test_answer_and_reasoning_are_told_apart(tmp_path: Path, case: str) -> None:
    arch, script, expected = CASES[case]
    chunks: list[Chunk] = []

    def hear(event: PromptProgress | Chunk) -> None:
        if isinstance(event, Chunk):
            chunks.append(event)

    async def scenario() -> None:
        async with running(build(arch, tmp_path / "script.gguf", script=script)) as engine:
            finished = await engine.generate(asked("Hello"), AnswerOptions(max_tokens=300), 1, hear)
        assert finished.stop == "end"

    asyncio.run(scenario())
    assert ("".join(c.reasoning for c in chunks), "".join(c.text for c in chunks)) == expected
    assert len(chunks) > 1 or not expected[0]


def _scripted(folder: Path, arch: str, thought: str) -> Path:
    opening = ANALYSIS if arch == "gpt-oss" else ""
    return build(arch, folder / "script.gguf", script=f"{opening}{thought}")


@pytest.mark.parametrize("arch", ["qwen35", "gpt-oss"])
def test_a_budget_limits_the_tokens_of_the_reasoning(tmp_path: Path, arch: str) -> None:
    """The script begins again behind the closing that the engine puts in, as the answer now."""
    thought = "Thinking on, over and over again, as long as nobody says that enough thoughts were thought."
    pieces = [piece.replace("Ġ", " ") for piece in cut(thought, DIALECTS["qwen"])]

    async def scenario() -> None:
        async with running(_scripted(tmp_path, arch, thought)) as engine:
            for budget in range(8):
                answer, reasoning, finished = await answered(
                    engine, asked("Hello"), AnswerOptions(max_tokens=200, reasoning_budget=budget)
                )
                assert reasoning.rstrip() == "".join(pieces[:budget]).rstrip()
                assert answer == thought
                assert finished.warnings == (CLOSED,)

    asyncio.run(scenario())


@pytest.mark.parametrize("arch", ["qwen35", "gpt-oss"])
def test_a_budget_does_not_cut_a_character(tmp_path: Path, arch: str) -> None:
    thought = "🎉日本語でかんがえる as long as it may"

    async def scenario() -> None:
        async with running(_scripted(tmp_path, arch, thought)) as engine:
            for budget in range(1, 9):
                answer, reasoning, finished = await answered(
                    engine, asked("Hello"), AnswerOptions(max_tokens=200, reasoning_budget=budget)
                )
                assert reasoning
                assert thought.startswith(reasoning)
                assert answer == thought
                assert finished.warnings == (CLOSED,)

    asyncio.run(scenario())


def test_a_budget_that_is_not_used_up_does_nothing(tmp_path: Path) -> None:
    path = build("qwen35", tmp_path / "script.gguf", script=f"{THOUGHT}\n</think>\n\n{ANSWER}")

    async def scenario() -> None:
        async with running(path) as engine:
            answer, reasoning, finished = await answered(
                engine, asked("Hello"), AnswerOptions(max_tokens=200, reasoning_budget=150)
            )
        assert (reasoning, answer, finished.warnings) == (THOUGHT, ANSWER, ())

    asyncio.run(scenario())


def test_the_length_limit_holds_where_reasoning_is_closed(tmp_path: Path) -> None:
    path = build("qwen35", tmp_path / "script.gguf", script=THOUGHT)

    async def scenario() -> None:
        async with running(path) as engine:
            _, _, finished = await answered(
                engine, asked("Hello"), AnswerOptions(max_tokens=6, reasoning_budget=5)
            )
        assert finished.stop == "length"
        assert finished.usage.completion_tokens == 6

    asyncio.run(scenario())


def test_the_templates_keywords_reach_it(tmp_path: Path) -> None:
    """A digit is a token, so the tokens of the prompt tell what the template was given."""
    says = (
        "{% if enable_thinking is defined %}{{ '11' if enable_thinking else '1111' }}{% endif %}"
        "{% if reasoning_effort == 'xhigh' %}22222222{% endif %}"
        "{% if preserve_thinking is defined %}{{ 'x' * 16 if preserve_thinking else 'x' * 32 }}{% endif %}"
        "{{ messages[0].content }}"
    )
    choices = {
        1: AnswerOptions(),
        3: AnswerOptions(thinking=True),
        5: AnswerOptions(thinking=False, reasoning_effort="high"),
        9: AnswerOptions(reasoning_effort="xhigh"),
        17: AnswerOptions(preserve_thinking=True),
        45: AnswerOptions(thinking=False, reasoning_effort="xhigh", preserve_thinking=False),
    }

    async def scenario() -> None:
        async with running(build("qwen3", tmp_path / "model.gguf"), LoadOptions(template=says)) as engine:
            for tokens, options in choices.items():
                assert (await engine.count_tokens(asked("?"), options)).tokens == tokens

    asyncio.run(scenario())


def test_thinking_off_is_no_reasoning(tmp_path: Path) -> None:
    """Qwen3.5's own template opens the reasoning, or closes it at once."""
    path = build("qwen35", tmp_path / "script.gguf", script=ANSWER)

    async def scenario() -> None:
        async with running(path) as engine:
            for thinking, expected in ((None, (ANSWER, "")), (True, (ANSWER, "")), (False, ("", ANSWER))):
                answer, reasoning, _ = await answered(
                    engine, asked("Hello"), AnswerOptions(max_tokens=200, thinking=thinking)
                )
                assert (reasoning, answer) == expected

    asyncio.run(scenario())


def test_the_effort_is_written_into_the_prompt_of_gpt_oss(tmp_path: Path) -> None:
    path = build("gpt-oss", tmp_path / "model.gguf")

    async def scenario() -> None:
        async with running(path) as engine:
            counts = [
                (await engine.count_tokens(asked("Hello"), AnswerOptions(reasoning_effort=effort))).tokens
                for effort in (None, "medium", "low", "high")
            ]
        # The template's own choice is medium; a letter is a token, less those of common beginnings of words.
        assert counts[0] == counts[1]
        assert len(set(counts)) == 3

    asyncio.run(scenario())
