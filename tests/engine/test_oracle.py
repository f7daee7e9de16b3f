"""Beside llama-server: the same prompts from the chat templates that llama.cpp ships, the same split of answers."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path
from typing import Any

import pytest

from playground.chat.messages import Message, Role
from playground.chat.options import AnswerOptions, Sampling
from playground.engines.template import ChatTemplate
from playground.errors import EngineError
from tests.support import oracle
from tests.support.engines import answered, asked, running
from tests.support.tiny_gguf import build

TEMPLATES = sorted((Path(__file__).parents[1] / "support" / "templates").glob("*.jinja"))
SPECIAL = {"bos_token": "<|endoftext|>", "eos_token": "<|im_end|>"}  # of the tiny model
QUESTION, REPLY = Message(Role.USER, "What is 2+2?"), Message(Role.ASSISTANT, "Four.")
TALKS = {
    "question": (QUESTION,),
    "system": (Message(Role.SYSTEM, "Be brief."), QUESTION),
    "turns": (QUESTION, REPLY, Message(Role.USER, "And 3+3?")),
}
CASES = [(talk, thinking) for talk in TALKS for thinking in (True, False)]
DATE = "llama-server hands the day in; in the template itself it is 26 Jul 2024, as Hugging Face renders it"
KNOWN = {
    "meta-llama-Llama-3.1-8B-Instruct.jinja": (DATE, ("question", "system", "turns")),
    "meta-llama-Llama-3.3-70B-Instruct.jinja": (DATE, ("question", "system", "turns")),
    "google-gemma-2-2b-it.jinja": (
        "refuses a system message: llama-server puts one line break behind it, we two, as Gemma 3's template does",
        ("system",),
    ),
}


def _body(talk: tuple[Message, ...], *, thinking: bool) -> dict[str, Any]:
    messages = [{"role": str(turn.role), "content": turn.text} for turn in talk]
    return {"messages": messages, "chat_template_kwargs": {"enable_thinking": thinking}}


@functools.cache
def _template(path: Path) -> ChatTemplate:
    return ChatTemplate(path.read_text(encoding="utf-8"), SPECIAL)


def _ours(path: Path) -> list[str]:
    """Return our prompts of all cases, or what is wrong with the template."""
    prompts = []
    for talk, thinking in CASES:
        try:
            prompts.append(_template(path).render(TALKS[talk], {"enable_thinking": thinking}))
        except EngineError as error:
            prompts.append(error.message)
    return prompts


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, list[str]]:
    """Return llama-server's prompts of all cases."""
    model = build("qwen3", tmp_path_factory.mktemp("oracle") / "qwen3.gguf")
    requests = [("/apply-template", _body(TALKS[talk], thinking=thinking)) for talk, thinking in CASES]
    sources = [path.read_text(encoding="utf-8") for path in TEMPLATES]
    answers = oracle.ask(
        [{"model": str(model), "template": source, "requests": requests} for source in sources]
    )
    return {
        path: [answer.get("prompt") or str(answer) for answer in found]
        for path, found in zip(TEMPLATES, answers, strict=True)
    }


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_prompts_are_the_same(path: Path, theirs: dict[Path, list[str]]) -> None:
    _, differing = KNOWN.get(path.name, ("", ()))
    for (talk, thinking), our, their in zip(CASES, _ours(path), theirs[path], strict=True):
        if talk in differing:
            assert our != their, "the difference is gone: take it off the list"
        else:
            assert our == their, (talk, thinking)


THOUGHT, ANSWER = "First 日本語, then 🎉 <b>tags</b>.", "So 🎉:\n```python\nprint('こんにちは')\n```\nDone."
SCRIPTS = {
    "opened by the model": ("qwen3", f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}"),
    "an orphan closing tag": ("qwen3", f"A tag</think>{ANSWER}"),
    "tags later on": ("qwen3", "Use <think>tags</think> like these"),
    "opened by the prompt": ("qwen35", f"{THOUGHT}\n</think>\n\n{ANSWER}"),
    "opened twice": ("qwen35", f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}"),
    "never closed": ("qwen35", THOUGHT),
    "channels": (
        "gpt-oss",
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}",
    ),
    "the analysis alone": ("gpt-oss", f"<|channel|>analysis<|message|>{THOUGHT}"),
}


def test_answers_are_split_the_same(tmp_path: Path) -> None:
    """But for the line break in front of a closing tag, which llama-server leaves in the reasoning."""
    models = [
        build(arch, tmp_path / f"{number}.gguf", script=script)
        for number, (arch, script) in enumerate(SCRIPTS.values())
    ]
    body = {**_body((QUESTION,), thinking=True), "temperature": 0, "max_tokens": 300}
    requests = [("/v1/chat/completions", body)]
    theirs = oracle.ask([{"model": str(path), "template": None, "requests": requests} for path in models])
    options = AnswerOptions(Sampling(temperature=0), max_tokens=300, thinking=True)

    async def scenario() -> None:
        for case, path, (found,) in zip(SCRIPTS, models, theirs, strict=True):
            async with running(path) as engine:
                answer, reasoning, _ = await answered(engine, asked(QUESTION.text), options)
            message = found["choices"][0]["message"]
            expected = message["content"], message.get("reasoning_content", "").removesuffix("\n")
            assert (answer, reasoning) == expected, case

    asyncio.run(scenario())
