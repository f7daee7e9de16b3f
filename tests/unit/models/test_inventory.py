"""What lies on this disk, found in homes as each program leaves them."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path

import pytest

from playground.errors import ModelError
from playground.models.disk import checksum, file_notes, folders, inventory
from playground.models.disk.inventory_values import DiskModel, DiskState, Place
from playground.models.library import describe, local_models
from playground.models.reference import parse, resolve
from tests.support.homes import Home, found, gguf_bytes, one, written
from tests.support.tiny_gguf import build


def test_an_empty_home_is_no_error(own_home: Home) -> None:
    disk = inventory.scan()
    assert not any((disk.models, disk.notes, disk.folders))
    assert disk.total_bytes > disk.free_bytes > 0
    assert own_home.root.is_dir()


def test_a_model_of_each_program_is_found(own_home: Home) -> None:
    files = {
        Place.APP: own_home.app / "copy-Q2_K.gguf",
        Place.LM_STUDIO: own_home.lm_studio / "publisher" / "repo" / "lm-Q4_K_M.gguf",
        Place.JAN: own_home.jan / "models" / "old" / "jan.gguf",
        Place.GPT4ALL: own_home.gpt4all / "gpt.gguf",
        Place.LLAMA_CPP: own_home.llama_cpp / "owner_repo_llama.gguf",
        Place.FOLDER: own_home.root / "mine" / "deep" / "folder.gguf",
    }
    for mark, path in enumerate(files.values()):
        written(path, gguf_bytes(path.stem, mark=mark))
    files[Place.HUB] = own_home.cached("owner/repo-GGUF", "hub-Q8_0.gguf", gguf_bytes("Hub", mark=50))
    files[Place.OLLAMA] = own_home.in_ollama("qwen3:8b", gguf_bytes("Ollama", mark=51))
    folders.add(own_home.root / "mine")
    disk = inventory.scan()
    assert {m.place: m.path for m in disk.models} == {place: str(path) for place, path in files.items()}
    assert all(m.state is DiskState.READY and not m.problem for m in disk.models)
    assert {m.arch for m in disk.models} == {"llama"}
    assert all((m.n_ctx_train, m.params, m.is_base) == (4096, 64, False) for m in disk.models)
    assert {m.licence for m in disk.models} == {"apache-2.0"}
    assert all(m.size_bytes == Path(m.path).stat().st_size for m in disk.models)
    assert {m.place for m in disk.models if m.can_delete} == {Place.APP, Place.HUB, Place.FOLDER}
    assert str(own_home.root / "mine") in disk.folders


def test_the_picker_gets_what_can_be_run_and_every_reference_leads_back(own_home: Home) -> None:
    own_home.cached("owner/repo", "a-Q8_0.gguf", gguf_bytes("A", mark=1))
    own_home.in_ollama("b:1b", gguf_bytes("B", mark=2))
    written(own_home.lm_studio / "p" / "r" / "c.gguf", gguf_bytes("C", mark=3))
    written(own_home.lm_studio / "p" / "r" / "broken.gguf", b"no model")
    models = local_models()
    assert models[0].ref == "hf:owner/repo:Q8_0"
    assert [m.name for m in models] == ["A", "C", "b:1b"]
    for model in models:
        again = resolve(parse(model.ref))
        assert (again.path, again.size_bytes) == (model.path, model.size_bytes)


def test_the_starter_comes_first(own_home: Home) -> None:
    written(own_home.app / "a.gguf", gguf_bytes("A"))
    for quant in ("Q2_K", "Q4_K_M"):
        written(own_home.app / "starter" / f"gemma-3-270m-{quant}.gguf", gguf_bytes(quant, mark=len(quant)))
    models = local_models()
    assert [m.ref for m in models] == ["starter", "starter:Q2_K", str(own_home.app / "a.gguf")]
    assert models[1].quant == "Q2_K"
    assert models[0].licence.startswith("Gemma")


def test_a_real_model_is_described_as_a_reference_describes_it(own_home: Home) -> None:
    path = own_home.lm_studio / "p" / "r" / "tiny-F32.gguf"
    path.parent.mkdir(parents=True)
    first = build("qwen3", path, tensors_per_file=20)
    [model] = local_models()
    assert model == describe(first)


def test_the_same_content_in_ollama_is_a_duplicate_and_a_second_tag_is_nothing_new(own_home: Home) -> None:
    content = gguf_bytes("Twice")
    link = own_home.cached("o/r", "m-Q8_0.gguf", content)
    own_home.in_ollama("twice:8b", content)
    own_home.in_ollama("twice:latest", content)
    hub, ollama = found()
    assert (hub.state, ollama.state) == (DiskState.READY, DiskState.DUPLICATE)
    assert ollama.same_as == str(link)
    assert ollama.problem == "It is the same as Twice in the Hub cache."
    assert [m.name for m in local_models()] == ["Twice"]


def test_a_copy_counts_as_the_same_once_its_content_was_hashed(own_home: Home) -> None:
    content = gguf_bytes("Copied")
    own_home.cached("o/r", "m-Q8_0.gguf", content)
    copy = written(own_home.lm_studio / "p" / "r" / "copy.gguf", content)
    written(own_home.lm_studio / "p" / "r" / "like.gguf", gguf_bytes("Copied", mark=2))  # of the same size
    assert {m.state for m in found()} == {DiskState.READY}
    checksum.file_sha256(copy)
    assert one(state=DiskState.DUPLICATE).path == str(copy)


def test_links_and_second_names_of_one_file_are_one_model_of_the_program_that_it_belongs_to(
    own_home: Home,
) -> None:
    path = written(own_home.lm_studio / "p" / "r" / "m.gguf", gguf_bytes())
    mine = own_home.root / "mine"
    mine.mkdir()
    (mine / "link.gguf").symlink_to(path)
    (mine / "hard.gguf").hardlink_to(path)
    folders.add(mine)
    folders.add(own_home.lm_studio)
    assert one().place is Place.LM_STUDIO


def test_ollama_s_own_formats_and_unfinished_downloads(own_home: Home) -> None:
    own_home.in_ollama("own:1b", b"OWN FORMAT" * 9)
    own_home.in_ollama("tensors:1b", b"whatever", kind="tensor")
    blob = own_home.ollama / "blobs" / f"sha256-{'a' * 64}-partial"
    content = gguf_bytes("Arriving", mark=9)
    written(blob, content + bytes(1000 - len(content)))  # all its size at once
    for number, done in enumerate((500, 250)):
        note = {"N": number, "Offset": 500 * number, "Size": 500, "Completed": done}
        written(blob.with_name(f"{blob.name}-{number}"), json.dumps(note).encode())
    broken, partial = found()
    assert (broken.name, broken.state) == ("own:1b", DiskState.BROKEN)
    assert "format of its own" in broken.problem
    assert (partial.name, partial.state, partial.fraction) == ("Arriving", DiskState.PARTIAL, 0.75)
    assert partial.size_bytes == 750


def test_ollama_s_hostile_manifests_name_no_file_elsewhere(own_home: Home) -> None:
    own_home.in_ollama("good:1b", gguf_bytes())
    folder = own_home.ollama / "manifests" / "registry.ollama.ai" / "library" / "bad"
    model = "application/vnd.ollama.image.model"
    secret = written(own_home.root / "secret", gguf_bytes("Secret"))
    for tag, content in {
        "up": json.dumps({"layers": [{"mediaType": model, "digest": f"sha256:../../../{secret.name}"}]}),
        "none": json.dumps({"layers": [{"mediaType": model, "digest": f"sha256:{'b' * 64}"}]}),
        "list": "[]",
        "deep": "[" * 100_000,
        "text": "\x00\xff",
        "layers": json.dumps({"layers": 7}),
    }.items():
        written(folder / tag, content.encode("latin-1"))
    os.mkfifo(folder / "pipe")
    assert {(m.name, m.state) for m in found()} == {
        ("good:1b", DiskState.READY),
        ("bad:none", DiskState.BROKEN),
    }


def test_jan_names_models_inside_and_outside_its_folder(own_home: Home) -> None:
    models = own_home.jan / "llamacpp" / "models"
    written(models / "inside" / "model.gguf", gguf_bytes("Header's", mark=1))
    written(models / "inside" / "mmproj.gguf", gguf_bytes(mark=2))
    note = "model_path: llamacpp/models/inside/model.gguf\nmmproj_path: llamacpp/models/inside/mmproj.gguf\n"
    written(models / "inside" / "model.yml", f"name: inside\n{note}size_bytes: 1\n".encode())
    outside = written(own_home.root / "it's here" / "out.gguf", gguf_bytes(mark=3))
    quoted = str(outside).replace("'", "''")
    written(models / "owner" / "outside" / "model.yml", f"model_path: '{quoted}'\n".encode())
    written(models / "gone" / "model.yml", b"model_path: /nowhere/x.gguf\n")
    written(models / "odd" / "model.yml", b"model_path: x\x00y\n- [\n")
    by_name = {m.name: m for m in found(place=Place.JAN)}
    assert by_name["inside"].path == str(models / "inside" / "model.gguf")
    assert by_name["owner/outside"].path == str(outside)
    assert {name: m.state for name, m in by_name.items()} == {
        "inside": DiskState.READY,
        "owner/outside": DiskState.READY,
        "gone": DiskState.BROKEN,
        "odd": DiskState.BROKEN,
    }


def test_an_added_folder_that_another_program_left_there_is_its_own(own_home: Home) -> None:
    own_home.in_ollama("moved:8b", gguf_bytes(mark=1))
    model = written(own_home.jan / "llamacpp" / "models" / "j" / "model.gguf", gguf_bytes(mark=2))
    written(model.with_name("model.yml"), b"model_path: llamacpp/models/j/model.gguf\n")
    for folder in (own_home.ollama, own_home.jan):
        folders.add(folder.rename(own_home.root / folder.parent.name.strip(".")))
    assert [(m.name, m.place, m.can_delete) for m in found()] == [
        ("moved:8b", Place.OLLAMA, False),
        ("j", Place.JAN, False),
    ]


def test_lm_studio_may_have_been_moved(own_home: Home) -> None:
    moved, other = own_home.root / "moved", own_home.root / "other"
    written(own_home.root / ".lmstudio-home-pointer", f"{moved}\n".encode())
    written(moved / "models" / "a" / "b" / "m.gguf", gguf_bytes("Moved", mark=1))
    written(moved / "settings.json", json.dumps({"downloadsFolder": str(other)}).encode())
    written(other / "c" / "d" / "n.gguf", gguf_bytes("Other", mark=2))
    written(own_home.root / ".cache" / "lm-studio" / "models" / "o.gguf", gguf_bytes("Older", mark=3))
    written(own_home.root / ".lmstudio" / "settings.json", b"{" * 1000)
    assert {m.name for m in found(place=Place.LM_STUDIO)} == {"Moved", "Other", "Older"}


@pytest.mark.parametrize("name", ["m.gguf.part", "downloading_m.gguf.part", "incomplete-m.gguf"])
def test_unfinished_files_of_other_programs(own_home: Home, name: str) -> None:
    written(own_home.gpt4all / name, gguf_bytes("On its way")[:-100])
    written(own_home.gpt4all / "film.mkv.part", b"film" * 99)
    model = one()
    assert (model.state, model.name) == (DiskState.PARTIAL, "On its way")
    assert model.fraction is not None
    assert 0.5 < model.fraction < 1


# -- speed, progress, cancelling


def test_a_second_scan_reads_no_file_that_kept_its_size_and_time(own_home: Home) -> None:
    path = written(own_home.gpt4all / "a.gguf", gguf_bytes("Before"))
    bad = written(own_home.gpt4all / "b.gguf", bytes(len(gguf_bytes("Before"))))
    assert [m.state for m in found()] == [DiskState.READY, DiskState.BROKEN]
    for file in (path, bad):
        status = file.stat()
        written(file, gguf_bytes("Behind"))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert one(state=DiskState.READY).name == "Before"
    assert one(state=DiskState.BROKEN).path == str(bad)
    for file in (path, bad):
        os.utime(file)
    assert [(m.name, m.state) for m in found()] == [("Behind", DiskState.READY)] * 2


@pytest.mark.parametrize(
    "content",
    [b"", b"[1, 2]", b'{"a": 3', b'{"PATH": [1, 2, "x"]}', b'{"PATH": [SIZE, TIME, [1, 2]]}', b"[" * 99999],
)
def test_damaged_notes_cost_nothing_but_time(own_home: Home, content: bytes) -> None:
    path = written(own_home.gpt4all / "m.gguf", gguf_bytes("Name"))
    status = path.stat()
    for word, value in {"PATH": path, "SIZE": status.st_size, "TIME": status.st_mtime_ns}.items():
        content = content.replace(word.encode(), str(value).encode())
    notes = file_notes.FileNotes("headers-1").path
    written(notes, content)
    assert one().name == "Name"
    assert str(path) in json.loads(notes.read_bytes())


def test_notes_that_cannot_be_written_are_no_error(own_home: Home) -> None:
    written(own_home.root / "playground" / "cache", b"a file where the folder should be")
    written(own_home.gpt4all / "m.gguf", gguf_bytes())
    assert one().state is DiskState.READY


def test_each_model_is_told_as_it_is_found_and_a_cancel_ends_it(own_home: Home) -> None:
    for number in range(10):
        written(own_home.gpt4all / f"{number}.gguf", gguf_bytes(f"m{number}", mark=number))
    told: list[str] = []
    cancel = threading.Event()

    def on_found(model: DiskModel) -> None:
        told.append(model.name)
        if len(told) == 3:
            cancel.set()

    disk = inventory.scan(on_found, cancel)
    assert told == [m.name for m in disk.models] == ["m0", "m1", "m2"]


def test_a_scan_of_a_task_tells_in_the_loop_and_ends_with_the_task(own_home: Home) -> None:
    for number in range(50):
        written(own_home.gpt4all / f"{number}.gguf", gguf_bytes(f"m{number}", mark=number))
    threads: set[int] = set()

    async def whole() -> int:
        disk = await inventory.found_on_disk(lambda _model: threads.add(threading.get_ident()))
        await asyncio.sleep(0)
        return len(disk.models)

    assert asyncio.run(whole()) == 50
    assert threads == {threading.get_ident()}

    async def cancelled() -> int:
        told: list[DiskModel] = []
        task = asyncio.create_task(inventory.found_on_disk(told.append))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        count = len(told)
        await asyncio.sleep(0.05)
        assert len(told) == count
        return count

    assert asyncio.run(cancelled()) < 50


def test_a_model_is_named_by_reference_path_or_repository(own_home: Home) -> None:
    link = own_home.cached("o/r", "m-Q8_0.gguf", gguf_bytes(mark=1))
    own_home.cached("o/r", "m-Q2_K.gguf", gguf_bytes(mark=2)[:-9])
    disk = inventory.scan()
    assert inventory.named(disk, "hf:o/r:Q8_0").path == str(link)
    assert inventory.named(disk, str(link)).path == str(link)
    assert inventory.named(disk, os.path.realpath(link)).path == str(link)
    assert inventory.named(disk, "hf:o/r:q2_k").state is DiskState.BROKEN
    for text, words in {
        "hf:o/r": "means 2 models",
        "hf:o/none": "no model called",
        "": "no model called",
    }.items():
        with pytest.raises(ModelError, match=words):
            inventory.named(disk, text)
