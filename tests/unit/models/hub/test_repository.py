"""A model's page: its description, files and first words, from a server of our own."""

from __future__ import annotations

import asyncio

import pytest

from playground.errors import HubError, HubErrorKind, UsageError
from playground.models.hub import hub_api
from playground.models.hub.repository import Repository
from tests.support.fake_hub import FakeHub, Fault, HubContent
from tests.support.remote_models import model_bytes
from tests.unit.models.hub.conftest import asked

_CARD = b"---\nlicense: mit\n---\n# Tiny\n\nThis is a **tiny** model that only tests ever need, and nobody else.\n"


def _page(ref: str = "acme/m", revision: str = "main") -> Repository:
    return asyncio.run(hub_api.repository(ref, revision))


def test_a_page_is_whole_after_three_requests(hub: FakeHub) -> None:
    hub.add(
        "acme/m",
        {"m-Q4_K_M.gguf": model_bytes(), "m-Q8_0.gguf": model_bytes(vocabulary=999), "README.md": _CARD},
        gated="auto",
        downloads=5,
        cardData={"license": "mit", "base_model": "acme/base"},
        gguf={"total": 268_098_176, "architecture": "gemma3", "context_length": 32_768},
    )
    hub.repos["acme/m"].tokens.add("")  # the card of a gated model is open
    found = _page()
    assert found.commit == hub.repos["acme/m"].sha
    assert (found.id, found.branch, found.gated, found.licence) == ("acme/m", "main", "auto", "mit")
    assert (found.params, found.arch, found.n_ctx_train) == (268_098_176, "gemma3", 32_768)
    assert found.base_models == ("acme/base",)
    assert [quant.name for quant in found.models] == ["Q8_0", "Q4_K_M"]
    files = hub.repos["acme/m"].files
    assert {file.path: (file.size_bytes, file.sha256) for file in found.files} == {
        name: (content.size, content.sha256 if content.lfs else "") for name, content in files.items()
    }
    assert found.summary == "This is a tiny model that only tests ever need, and nobody else."
    assert len(hub.log) == 3


@pytest.mark.parametrize(
    "ref",
    [
        "acme/m",
        "hf:acme/m",
        "hf:acme/m:Q4_K_M",
        "https://huggingface.co/acme/m",
        "hf.co/acme/m:Q8_0",
        " acme/m ",
    ],
)
def test_a_model_is_found_by_whatever_names_it(hub: FakeHub, ref: str) -> None:
    hub.add("acme/m", {})
    assert _page(ref).id == "acme/m"


def test_an_address_of_a_mirror_is_one_of_the_hub(hub: FakeHub) -> None:
    hub.add("acme/m", {})
    assert _page(f"{hub.url}/acme/m/tree/main").id == "acme/m"


@pytest.mark.parametrize(
    "ref", ["", "acme", "../x", "acme/..", "https://example.org/a/b", "a/b/c", "hf:a/b:../c"]
)
def test_what_names_no_model_is_refused_before_anything_is_sent(hub: FakeHub, ref: str) -> None:
    with pytest.raises(UsageError):
        _page(ref)
    assert not hub.log


def test_a_branch_and_its_own_commit(hub: FakeHub) -> None:
    repo = hub.add("acme/m", {})
    repo.refs["refs/pr/1"] = repo.sha
    assert _page(revision="refs/pr/1").branch == "refs/pr/1"
    for revision in ("", "../main", "a b", "x" * 300):
        with pytest.raises(UsageError):
            _page(revision=revision)


def test_long_lists_of_files_come_in_pages(hub: FakeHub) -> None:
    hub.page_size = 2
    hub.add("acme/m", {f"part{n}.txt": HubContent(b"x", name="x") for n in range(5)})
    assert len(_page().files) == 5
    assert len(hub.requests("GET", "/tree/")) == 3


def test_a_list_of_files_without_an_end_is_a_sentence(hub: FakeHub) -> None:
    hub.page_size = 1
    hub.add("acme/m", {f"part{n}.txt": b"x" for n in range(60)})
    with pytest.raises(HubError, match="no end") as caught:
        _page()
    assert caught.value.kind is HubErrorKind.BAD_ANSWER


def test_names_that_lead_out_of_the_folder_are_left_out_and_named(hub: FakeHub) -> None:
    bad = [
        "../x-Q4_0.gguf",
        "/abs-Q4_0.gguf",
        "a/../../x.gguf",
        "a\\b.gguf",
        "C:x.gguf",
        "nul\x00.gguf",
        "a/./b.gguf",
    ]
    hub.add("acme/m", {name: model_bytes() for name in [*bad, "ok-Q4_0.gguf"]})
    found = _page()
    assert [file.path for file in found.files] == ["ok-Q4_0.gguf"]
    assert [quant.files[0].path for quant in found.quants] == ["ok-Q4_0.gguf"]
    assert len(found.notes) == len(bad)
    assert all(note.isprintable() and note.endswith(".") for note in found.notes)


@pytest.mark.parametrize("fault", [Fault("status", path="README"), Fault("reset", path="README", after=10)])
def test_a_page_is_complete_without_its_card(hub: FakeHub, fault: Fault) -> None:
    hub.add("acme/m", {"README.md": _CARD * 50})
    hub.faults.append(fault)
    assert _page().summary == ""


def test_only_the_beginning_of_a_card_is_fetched(hub: FakeHub) -> None:
    hub.add("acme/m", {"README.md": HubContent(_CARD + b"x" * 40_000_000, name="x", lfs=False)})
    assert _page().summary
    (request,) = hub.requests("GET", "README")
    assert request.sent < 20_000_000


def test_a_page_that_is_cancelled_leaves_nothing_behind(hub: FakeHub) -> None:
    hub.add("acme/m", {"README.md": _CARD})
    hub.faults += [Fault("hang", path="/tree/"), Fault("hang", path="README")]

    async def scenario() -> None:
        task = asyncio.create_task(hub_api.repository("acme/m"))
        await asked(hub, 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())


def test_a_description_without_a_commit_is_a_sentence(hub: FakeHub) -> None:
    hub.add("acme/m", {}, sha="../../../etc/passwd")
    with pytest.raises(HubError, match="no commit"):
        _page()
