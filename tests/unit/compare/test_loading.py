"""Which devices a lane gets, and what is refused before it is tried."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from playground.chat.messages import Conversation
from playground.chat.options import LoadOptions
from playground.compare import loading
from playground.compare.events import Lane
from playground.compare.loading import chosen, wanted
from playground.compare.memory import shortage
from playground.engines.protocol import Device, rpc_endpoints
from playground.errors import EngineError, ErrorKind
from playground.models import hardware
from playground.models.files import ModelFile
from playground.models.fit import ContextNeeds, estimate
from playground.models.placement import DeviceMemory, place
from tests.support import big_shapes

_GB = 10**9
_CPU = Device("CPU", "a processor", "cpu", 8 * _GB, 16 * _GB, "CPU")
_CARD = Device("CUDA0", "a card", "gpu", 20 * _GB, 24 * _GB, "CUDA")
_SECOND = Device("CUDA1", "a card", "gpu", 10 * _GB, 12 * _GB, "CUDA")
_CHIP = Device("Vulkan1", "in the processor", "integrated", 30 * _GB, 32 * _GB, "Vulkan")
_LENT = Device("rpc://lab:50052", "lab:50052", "gpu", 5 * _GB, 6 * _GB, "RPC")
_ALL = (_CPU, _CARD, _SECOND, _CHIP, _LENT)
_CELL_BYTES = 2 * 64 * 256 * 2  # a token's part of one layer's cache below
_MODEL = ModelFile("m", "/models/m.gguf", "m", 10 * _GB, "qwen3", "Q8_0", 0, 131_072, is_base=False)


def _lane(**options: object) -> Lane:
    return Lane("A", _MODEL, Conversation().with_user("Hi"), LoadOptions(**options))  # type: ignore[arg-type]


def _names(there: tuple[Device, ...], /, **options: object) -> list[str]:
    return [device.name for device in chosen(there, LoadOptions(**options))]  # type: ignore[arg-type]


def test_cards_go_before_the_chip_in_the_processor() -> None:
    """A chip reports the machine's memory as its own, so it would always seem the roomiest."""
    assert _names(_ALL[:4]) == ["CUDA0", "CUDA1"]
    assert _names((_CPU, _CHIP)) == ["Vulkan1"]
    assert _names((_CPU,)) == []


def test_devices_asked_for_are_kept_in_their_order() -> None:
    assert _names(_ALL, devices=("CUDA1", "rpc://lab:50052", "CUDA1")) == ["CUDA1", "rpc://lab:50052"]
    assert _names(_ALL, devices=("Vulkan1",)) == ["Vulkan1"]
    assert _names(_ALL, devices=("CPU",)) == []
    assert _names(_ALL, devices=("CUDA0", "CUDA1"), split_mode="none", main_gpu=1) == ["CUDA1"]
    assert _names((_CPU,), tensor_split=(1.0, 2.0), main_gpu=3) == []


def test_a_device_without_figures_shares_the_machines_memory() -> None:
    silent = Device("GPU0", "says nothing", "integrated", 0, 0)
    full = Device("GPU1", "is full", "gpu", 0, 24 * _GB)
    assert 0 < chosen((silent,), LoadOptions())[0].free_bytes <= hardware.total_memory_bytes()
    assert chosen((full,), LoadOptions()) == (DeviceMemory("GPU1", 0),)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"devices": ("CUDA7",)}, "no device CUDA7"),
        ({"devices": ("CUDA0", "CUDA1"), "tensor_split": (1.0,)}, "1 share for"),
        ({"tensor_split": (1.0, 1.0, 1.0, 1.0)}, "4 shares"),
        ({"split_mode": "none", "main_gpu": 9}, "no main device 9"),
    ],
)
def test_wishes_that_match_no_device_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(EngineError, match=words) as caught:
        _names(_ALL, **options)
    assert caught.value.kind is ErrorKind.LOAD_FAILED


def test_servers_are_named_once() -> None:
    load = LoadOptions(devices=("rpc://a:1", "CUDA0", "rpc://a:1#1", "rpc://b:2"))
    assert rpc_endpoints(load.devices) == ("a:1", "b:2")


def test_words_become_numbers() -> None:
    assert (wanted(_lane()).layers, wanted(_lane()).cpu_experts) == (None, None)
    assert (wanted(_lane(gpu_layers="none")).layers, wanted(_lane(gpu_layers=7)).layers) == (0, 7)
    assert (wanted(_lane(cpu_experts="none")).cpu_experts, wanted(_lane(cpu_experts=3)).cpu_experts) == (0, 3)
    header = big_shapes.header(big_shapes.GPT_OSS_120B)
    everything = place(header, [DeviceMemory("G", 1)], wanted(_lane(gpu_layers="all", cpu_experts="all")))
    assert (everything.layers, everything.cpu_expert_layers) == (37, 36)
    drafting = wanted(_lane(draft="mtp", draft_tokens=3, flash_attention="off", sequences=2)).context
    assert drafting == ContextNeeds(8192, "f16", 2, flash_attention=False, draft_tokens=3, mtp=True)


def _far_too_large() -> big_shapes.Big:
    """Return a model whose cache of 8,192 tokens is three times what this machine has free."""
    layers = math.ceil(3 * hardware.available_memory_bytes() / (8192 * _CELL_BYTES))
    return big_shapes.Big("qwen3", layers, 256, 64, 64, 256, 256, 1000)


def test_a_context_that_was_left_open_shrinks_until_the_machine_can_hold_it() -> None:
    header = big_shapes.header(_far_too_large())
    attempt = loading._first(header, _lane(), ())
    assert attempt.wanted.context.n_ctx in (1024, 2048)
    assert attempt.notes == (
        f"The context was made smaller, {attempt.wanted.context.n_ctx:,} tokens: a larger one did not fit in memory.",
    )


def test_a_context_that_was_asked_for_is_refused_with_one_that_fits() -> None:
    header = big_shapes.header(_far_too_large())
    with pytest.raises(EngineError, match="8,192 tokens needs about") as caught:
        loading._first(header, _lane(n_ctx=8192, kv_type="f16"), ())
    assert caught.value.kind is ErrorKind.OUT_OF_MEMORY
    fitting = int("".join(filter(str.isdigit, caught.value.hint)))
    assert estimate(header, ContextNeeds(fitting)).private_bytes < hardware.total_memory_bytes()
    smaller = loading._first(header, _lane(n_ctx=8192), ())
    assert smaller.wanted.context == ContextNeeds(8192, "q4_0")


def test_what_lies_on_devices_needs_nothing_of_the_machine() -> None:
    header = big_shapes.header(_far_too_large())
    card = (DeviceMemory("CUDA0", 1 << 50),)
    attempt = loading._first(header, _lane(), card)
    assert attempt.wanted.context.n_ctx == 8192
    assert attempt.notes == ()
    kept = replace(wanted(_lane()), kv_offload=False)
    context = kept.context
    assert shortage(_lane(), header, context, place(header, card, kept)) is not None


def test_weights_count_when_they_are_not_mapped() -> None:
    header = big_shapes.header(big_shapes.QWEN36_27B)
    huge = ModelFile("m", "/m.gguf", "m", 1 << 50, "qwen35", "Q8_0", 0, 4096, is_base=False)
    needs, unplaced = ContextNeeds(512), place(header, (), wanted(_lane(n_ctx=512)))
    talk = Conversation().with_user("Hi")
    assert shortage(Lane("A", huge, talk, LoadOptions()), header, needs, unplaced) is None
    assert shortage(Lane("A", huge, talk, LoadOptions(mmap=False)), header, needs, unplaced) is not None


def test_a_model_that_drafts_has_room_kept_for_it(tmp_path: Path) -> None:
    draft = big_shapes.write(
        big_shapes.Big("qwen3", 4, 1024, 16, 8, 128, 3072, 1000), tmp_path / "draft.gguf"
    )
    header = big_shapes.header(big_shapes.QWEN36_27B)
    card = (DeviceMemory("CUDA0", 24 * _GB),)
    alone = loading._first(header, _lane(), card)
    drafting = loading._first(header, _lane(draft=str(draft)), card)
    assert drafting.devices[0].free_bytes < alone.devices[0].free_bytes == 24 * _GB
    assert 0 < drafting.placed.layers <= alone.placed.layers
