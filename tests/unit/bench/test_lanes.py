"""How a run asks its models: the same seeds for both, enough context, a fair number of answers at once."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.bench.lanes import (
    answer_options,
    context_tokens,
    lane_infos,
    parallel_answers,
    question,
    task_seed,
)
from playground.bench.record import RunSettings
from playground.bench.task import Task
from playground.chat.options import LoadOptions
from tests.support import runs

_TASK = Task("a", "A", "python", 0, "t", "Write a().", "def a(): ...", completion="```python\ndef a():\n")


def test_both_lanes_draw_with_the_same_seeds() -> None:
    settings = RunSettings(samples=5, parallel=5)
    lanes = lane_infos([runs.COMPACT, runs.LARGER], [_TASK], settings, LoadOptions())
    assert [lane.slot for lane in lanes] == ["A", "B"]
    drawn = [answer_options(lane, settings, "a", 2, 3) for lane in lanes]
    assert drawn[0] == drawn[1]
    assert drawn[0].n == 3
    assert drawn[0].sampling.seed == task_seed(42, "a") + 2
    assert lanes[0].load.sequences == 5


@given(st.integers(0, 0xFFFFFFFE), st.text(), st.text())
def test_a_seed_is_its_tasks_own_and_fits(seed: int, one: str, other: str) -> None:
    assert 0 <= task_seed(seed, one) < 1 << 31
    assert task_seed(seed, one) == task_seed(seed, one)
    if one.encode("utf-8", "replace") != other.encode("utf-8", "replace"):
        assert task_seed(seed, one) != task_seed(seed, other)


@pytest.mark.parametrize(
    ("samples", "wanted", "found"), [(1, 0, 1), (5, 0, 5), (20, 0, 8), (1, 8, 8), (3, 999, 64)]
)
def test_one_answer_at_a_time_unless_there_are_samples(samples: int, wanted: int, found: int) -> None:
    assert parallel_answers(samples, wanted) == found


def test_samples_are_warm_and_single_answers_cold() -> None:
    def heat(samples: int, temperature: float | None) -> float:
        settings = RunSettings(samples=samples)
        lanes = lane_infos([runs.COMPACT], [_TASK], settings, LoadOptions(), temperature)
        return lanes[0].answer.sampling.temperature

    assert (heat(1, None), heat(4, None), heat(1, 0.3)) == (0.0, 0.7, 0.3)


def test_the_context_holds_prompt_and_answer_but_not_more_than_the_model_knows() -> None:
    long = msgspec.structs.replace(_TASK, prompt="é" * 3000)
    assert context_tokens([_TASK, long], 2048) >= 6000 + 2048
    small = msgspec.structs.replace(runs.COMPACT, n_ctx_train=4096)
    settings = RunSettings(parallel=4)
    (lane,) = lane_infos([small], [long], settings, LoadOptions())
    assert lane.load.n_ctx == 4 * 4096
    (lane,) = lane_infos([small], [long], settings, LoadOptions(n_ctx=1000))
    assert lane.load.n_ctx == 4000


def test_a_task_without_a_completion_is_asked_by_its_prompt() -> None:
    assert question(_TASK)[0].completion == _TASK.completion
    assert question(msgspec.structs.replace(_TASK, completion=""))[0].completion is None
