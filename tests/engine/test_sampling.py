"""Each sampling option, real llama.cpp: it limits what it should, a seed repeats it, bad grammars are refused."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playground.chat.options import AnswerOptions, LoadOptions, Sampling
from playground.engines.process import EngineProcess
from playground.errors import EngineError, ErrorKind
from tests.support.engines import answered, answered_all, asked, running
from tests.support.tiny_gguf import build
from tests.support.tiny_vocabulary import DIALECTS, vocabulary

LETTERS = "root ::= [a-p]"
OPEN = Sampling(temperature=3, top_k=0, top_p=1, min_p=0, grammar=LETTERS)
LOAD = LoadOptions(n_ctx=1024, sequences=8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("llama", tmp_path_factory.mktemp("sampling") / "llama.gguf")


async def _letters(engine: EngineProcess, **changes: object) -> set[str]:
    """Return the letters that 24 seeds draw."""
    options = AnswerOptions(msgspec.structs.replace(OPEN, **changes), max_tokens=1, n=24)
    return {text for text, _, _ in await answered_all(engine, asked("Hello"), options)}


def test_truncations_narrow_the_choice(model: Path) -> None:
    async def scenario() -> None:
        async with running(model, LOAD) as engine:
            assert len(await _letters(engine)) > 8
            likeliest = await _letters(engine, temperature=0)
            assert len(likeliest) == 1
            for only in ({"top_k": 1}, {"top_p": 1e-6}, {"min_p": 1}, {"mirostat": 2, "mirostat_tau": 0}):
                assert await _letters(engine, **only) == likeliest
            assert len(await _letters(engine, top_k=3)) <= 3
            assert len(await _letters(engine, typical_p=1e-6)) == 1
            least = await _letters(engine, xtc_probability=1, xtc_threshold=1e-6)
            assert len(least) == 1
            assert least != likeliest
            assert len(await _letters(engine, dynamic_range=2)) > 1
            assert len(await _letters(engine, mirostat=2)) > 1

    asyncio.run(scenario())


def test_a_bias_bans_or_favours_a_token(model: Path) -> None:
    number = vocabulary(DIALECTS["llama3"]).ids["k"]

    async def scenario() -> None:
        async with running(model, LOAD) as engine:
            (likeliest,) = await _letters(engine, temperature=0)
            assert likeliest not in await _letters(engine, temperature=0, logit_bias=((likeliest, -100),))
            for name in ("k", str(number)):
                assert await _letters(engine, logit_bias=((name, 100),)) == {"k"}
                assert "k" not in await _letters(engine, logit_bias=((name, -100),))
            several = tuple((letter, -100.0) for letter in "abcdefgh")
            assert await _letters(engine, logit_bias=several) <= set("ijklmnop")
            for nothing in ("²", "9" * 30, ""):
                assert await _letters(engine, temperature=0, logit_bias=((nothing, -100),)) == {likeliest}

    asyncio.run(scenario())


def test_penalties_break_repetition(model: Path) -> None:
    two = Sampling(temperature=0, top_k=0, grammar="root ::= [ab]{16}", logit_bias=(("a", 5), ("b", 4)))

    async def scenario() -> None:
        async with running(model, LOAD) as engine:

            async def text(**changes: object) -> str:
                options = AnswerOptions(msgspec.structs.replace(two, **changes), max_tokens=40)
                return (await answered(engine, asked("Hello"), options))[0]

            assert await text() == "a" * 16
            even = await text(frequency_penalty=3)
            assert even.count("a") == pytest.approx(8, abs=1)
            assert (await text(presence_penalty=3)).startswith("ab")
            assert (await text(repeat_penalty=4)).startswith("ab")
            assert await text(repeat_penalty=4, penalty_tokens=0) == "a" * 16
            assert await text(dry_multiplier=50, dry_allowed_length=2) != "a" * 16

    asyncio.run(scenario())


def test_a_seed_repeats_every_option(model: Path) -> None:
    kinds: list[dict[str, Any]] = [
        *({}, {"top_k": 0}, {"typical_p": 0.5}, {"xtc_probability": 0.5, "xtc_threshold": 0.01}),
        *({"dry_multiplier": 1.0}, {"repeat_penalty": 1.3}, {"frequency_penalty": 1.0}),
        *({"presence_penalty": 1.0}, {"mirostat": 2}, {"dynamic_range": 0.5}),
        {"json_schema": '{"type": "array", "items": {"type": "integer"}, "maxItems": 4}'},
    ]

    async def scenario() -> None:
        async with running(model, LOAD) as engine:
            for changes in kinds:
                first, again, other = [
                    (await answered(engine, asked("Hello"), _seeded(seed, changes)))[0] for seed in (7, 7, 8)
                ]
                assert first == again, changes
                assert first != other, changes

    asyncio.run(scenario())


def _seeded(seed: int, changes: dict[str, Any]) -> AnswerOptions:
    ends = (("<|eot_id|>", -100.0), ("<|end_of_text|>", -100.0)) if "json_schema" not in changes else ()
    return AnswerOptions(Sampling(temperature=1.5, seed=seed, logit_bias=ends, **changes), max_tokens=20)


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        ({}, "top-k, top-p, min-p, temperature, draw"),
        ({"temperature": 0}, "top-k, greedy"),
        ({"top_k": 0, "top_p": 1, "min_p": 0}, "temperature, draw"),
        ({"mirostat": 2, "repeat_penalty": 1.1}, "top-k, penalties, temperature, mirostat 2"),
        (
            {"logit_bias": (("a", 1),), "dry_multiplier": 1, "presence_penalty": 1, "typical_p": 0.9}
            | {"xtc_probability": 0.1, "dynamic_range": 0.5, "grammar": 'root ::= "a"'},
            "grammar, logit bias, top-k, DRY, penalties, typical, top-p, min-p, XTC, temperature, draw",
        ),
    ],
)
def test_the_order_is_the_documented_one(model: Path, changes: dict[str, Any], order: str) -> None:
    async def scenario() -> None:
        async with running(model, LOAD) as engine:
            options = AnswerOptions(Sampling(**changes), max_tokens=2)
            _, _, finished = await answered(engine, asked("Hello"), options)
        assert ", ".join(finished.sampling_order) == order

    asyncio.run(scenario())


def test_a_grammar_decides_the_answer(model: Path) -> None:
    async def scenario() -> None:
        async with running(model, LOAD) as engine:
            for temperature in (0, 0.7, 5):
                either = Sampling(temperature=temperature, grammar='root ::= "yes" | "no"')
                options = AnswerOptions(either, max_tokens=20, n=4)
                for text, _, finished in await answered_all(engine, asked("Hello"), options):
                    assert text in ("yes", "no")
                    assert finished.stop == "end"
            japanese = Sampling(temperature=1, grammar="root ::= [ぁ-ん]{5}")
            text, _, _ = await answered(engine, asked("Hello"), AnswerOptions(japanese, max_tokens=40))
            assert len(text) == 5
            assert all("ぁ" <= letter <= "ん" for letter in text)

    asyncio.run(scenario())


def test_a_json_schema_gives_what_it_says(model: Path) -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z]{1,8}$"},
            "count": {"type": "integer"},
            "kind": {"enum": ["red", "green"]},
            "tags": {"type": "array", "items": {"type": "boolean"}, "maxItems": 3},
        },
        "required": ["name", "count", "kind", "tags"],
        "additionalProperties": False,
    }

    async def scenario() -> None:
        async with running(model, LOAD) as engine:
            drawn = Sampling(temperature=0.9, json_schema=json.dumps(schema))
            for text, _, finished in await answered_all(
                engine, asked("Hello"), AnswerOptions(drawn, max_tokens=400, n=8)
            ):
                assert finished.stop == "end"
                value = json.loads(text)
                assert list(value) == schema["required"]
                assert isinstance(value["count"], int)
                assert value["kind"] in ("red", "green")
                assert all(isinstance(tag, bool) for tag in value["tags"])

    asyncio.run(scenario())


@pytest.mark.parametrize("arch", ["qwen3", "qwen35", "gpt-oss"])
def test_a_grammar_leaves_the_reasoning_alone(tmp_path: Path, arch: str) -> None:
    opening, closing = {
        "qwen3": ("<think>\n", "\n</think>\n\n"),
        "qwen35": ("", "\n</think>\n\n"),
        "gpt-oss": ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    }[arch]
    thought = "Is it one or the other?"
    path = build(arch, tmp_path / "script.gguf", script=f"{opening}{thought}{closing}Certainly not")
    options = AnswerOptions(Sampling(grammar='root ::= "yes" | "no"'), max_tokens=100)

    async def scenario() -> None:
        async with running(path) as engine:
            answer, reasoning, finished = await answered(engine, asked("Hello"), options)
        assert reasoning == thought
        assert answer in ("yes", "no")
        assert finished.stop == "end"

    asyncio.run(scenario())


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unclosed": ({"grammar": 'root ::= "a'}, "grammar"),
    "no root": ({"grammar": 'other ::= "a"'}, "grammar"),
    "unknown rule": ({"grammar": "root ::= other"}, "grammar"),
    "left recursion": ({"grammar": 'root ::= root "a" | "b"'}, "grammar"),
    "too deep": ({"grammar": f'root ::= {"(" * 20_000}"a"{")" * 20_000}'}, "grammar"),
    "not JSON": ({"json_schema": "{"}, "JSON schema"),
    "not an object": ({"json_schema": "[1]"}, "it is not an object"),
    "unknown type": ({"json_schema": '{"type": "nonsense"}'}, "nonsense"),
    "remote": ({"json_schema": '{"$ref": "https://example.com/a.json"}'}, "not allowed"),
    "a file": ({"json_schema": '{"$ref": "file:///etc/passwd"}'}, "Unsupported ref"),
    "nowhere": ({"json_schema": '{"$ref": "#/definitions/none"}'}, "definitions"),
    "a loose pattern": ({"json_schema": '{"type": "string", "pattern": "a"}'}, "Pattern must start"),
}


def test_bad_grammars_are_refused_in_a_sentence(model: Path) -> None:
    async def scenario() -> None:
        async with running(model, LOAD) as engine:
            for name, (changes, word) in REFUSED.items():
                with pytest.raises(EngineError, match=word) as caught:
                    await answered(
                        engine,
                        asked("Hello"),
                        AnswerOptions(msgspec.structs.replace(Sampling(), **changes), n=2),
                    )
                assert caught.value.kind is ErrorKind.PROMPT, name
                assert caught.value.message.endswith("."), name
                assert "\n" not in caught.value.sentence(), name
            parentheses = 'root ::= "(" "(" [()] ")" # (((('
            text, _, _ = await answered(engine, asked("Hello"), AnswerOptions(Sampling(grammar=parentheses)))
            assert len(text) == 4

    asyncio.run(scenario())
