"""Made-up values of the Library: models, pairs, repositories, downloads, disks."""

from __future__ import annotations

import datetime as dt
from typing import Any

from playground.models.catalog.catalog_values import (
    CatalogModel,
    CatalogPair,
    CatalogQuant,
    Numbers,
    PairSide,
    Proposal,
    Score,
    Side,
)
from playground.models.disk.inventory_values import Disk, DiskModel, DiskState, Place
from playground.models.downloads.download import Download, DownloadState, FileProgress
from playground.models.fit import MemoryEstimate
from playground.models.fitness import Fit, How, Machine, PairFit, Verdict
from playground.models.hub.repository import FoundModel, HubFile, Quant, Repository
from playground.models.placement import DeviceMemory

GB = 10**9
FREE = 22.4
NOW = 1_780_000_000.0
_READ = dt.date(2026, 11, 20)


def bytes_of(gb: float) -> int:
    """Return gigabytes as bytes."""
    return round(gb * GB)


def machine(free_gb: float = FREE, *, gpu: bool = True) -> Machine:
    """Return a machine with one GPU, or without any."""
    if not gpu:
        return Machine(bytes_of(16.8), bytes_of(free_gb))
    devices = (DeviceMemory("CUDA0", bytes_of(free_gb)),)
    return Machine(bytes_of(64), bytes_of(51), devices, bytes_of(24), "RTX 4090")


def fit(weights: float, cache: float = 0.5, buffers: float = 1.0, free: float = FREE) -> Fit:
    """Return how a model of so many gigabytes fits."""
    total = weights + cache + buffers
    verdict: Verdict = "well" if total < free * 0.9 else "tight" if total <= free else "partly"
    verdict = "too_big" if total > 3 * free else verdict
    memory = MemoryEstimate(bytes_of(weights), bytes_of(cache), 0, bytes_of(buffers))
    return Fit(verdict, memory, bytes_of(free), 33, 33, 0, 65_536)


def catalog_model(name: str, quants: dict[str, float], licence: str = "apache-2.0") -> CatalogModel:
    """Return a model of the catalog."""
    numbers = Numbers("qwen35", 262_144, 64, 16, 4, 256, 256, 5120, 248_320)
    sized = tuple(CatalogQuant(quant, bytes_of(gb)) for quant, gb in quants.items())
    scores = (Score("SWE-bench Verified", 77.2, f"https://huggingface.co/Qwen/{name}", _READ),)
    repo = f"unsloth/{name}-GGUF"
    source = f"https://huggingface.co/{repo}"
    params = 27 * GB
    return CatalogModel(
        name.lower(),
        name,
        repo,
        licence,
        params,
        params,
        "2026-04",
        source,
        _READ,
        sized,
        numbers,
        scores=scores,
    )


def side(name: str, quant: str, gb: float, path: str = "", licence: str = "apache-2.0") -> Side:
    """Return one side of a proposal."""
    model = catalog_model(name, {quant: gb}, licence)
    return Side(model, model.quants[0], path)


def proposal(
    id_: str,
    title: str,
    compact: Side,
    larger: Side,
    how: How = "together",
    *,
    is_story: bool = False,
    memory_gb: int = 24,
    why: str = "",
    free: float = FREE,
) -> Proposal:
    """Return a pair on a machine."""
    sides = (PairSide(compact.model.id, compact.quant.name), PairSide(larger.model.id, larger.quant.name))
    pair = CatalogPair(id_, title, *sides, memory_gb, why, is_story)
    first, second = (fit(one.quant.size_bytes / GB, free=free) for one in (compact, larger))
    fetch = sum(one.quant.size_bytes for one in (compact, larger) if not one.path)
    return Proposal(pair, compact, larger, PairFit(how, first, second, _REASONS[how]), fetch)


_REASONS: dict[How, str] = {
    "together": "Both stay loaded; answers stream side by side.",
    "in_turn": "Each fits alone: B loads when A has answered.",
    "only_compact": "The larger one does not fit here.",
    "only_larger": "The compact one does not fit here.",
    "neither": "Neither of them fits here.",
}


def story() -> Proposal:
    """Return the pair that the app is named by, on a machine for the compact one only."""
    return proposal(
        "story",
        "The small one that claims to win",
        side("Qwen3.6-27B", "Q4_K_M", 15.7),
        side("Qwen3.5-397B-A17B", "UD-IQ2_XXS", 99.7),
        "only_compact",
        is_story=True,
        memory_gb=128,
        why="Its maker says the 27B beats the 397B at code: SWE-bench Verified 77.2 to 76.2, Terminal-Bench 2.0"
        " 59.3 to 52.5. Check it on your own prompts.",
    )


def proposals() -> tuple[Proposal, ...]:
    """Return what a machine with 24 GB is offered."""
    return (
        story(),
        proposal("best", "Best start on this machine", side("Qwen3.5-4B", "Q4_K_M", 2.6), side("Qwen3.6-27B", "IQ4_XS", 14.4)),
        proposal("newest", "Small against the newest 27B", side("Qwen3.5-9B", "Q8_0", 8.9), side("Qwen3.8-27B", "Q4_K_M", 15.9), "in_turn"),
        proposal("families", "Two families, equal size", side("Qwen3.5-9B", "Q6_K", 6.9, "/models/qwen9.gguf"), side("gemma-4-12b-it", "Q4_K_M", 6.6)),
        proposal("experts", "Two quick mixtures of experts", side("gpt-oss-20b", "MXFP4", 11.3), side("gemma-4-26B-A4B-it", "UD-Q4_K_M", 15.8), "in_turn"),
        proposal("quants", "One model, two quants", side("Qwen3.6-27B", "UD-IQ2_XXS", 8.7), side("Qwen3.6-27B", "IQ4_XS", 14.4), "in_turn"),
        proposal("care", "Speed against care", side("gemma-4-E4B-it", "Q4_K_M", 4.6), side("Devstral-Small-2-24B", "Q4_K_M", 13.3)),
    )  # fmt: skip


_FOUND = (
    ("unsloth/Qwen3.6-27B-GGUF", 27, 4_100_000, "apache-2.0", ""),
    ("unsloth/Qwen3.8-27B-GGUF", 27, 2_700_000, "apache-2.0", ""),
    ("ggml-org/gpt-oss-20b-GGUF", 21, 2_400_000, "apache-2.0", ""),
    ("meta-llama/Llama-3.1-8B-Instruct-GGUF", 8, 1_900_000, "llama3.1", "manual"),
    ("unsloth/Qwen3.6-35B-A3B-GGUF", 35, 1_600_000, "apache-2.0", ""),
    ("unsloth/gemma-4-31B-it-GGUF", 31, 1_200_000, "gemma", ""),
    ("unsloth/GLM-4.7-Flash-GGUF", 30, 880_000, "mit", ""),
    ("bartowski/Devstral-Small-2-24B-GGUF", 24, 640_000, "apache-2.0", ""),
    ("unsloth/Qwen3-Coder-Next-GGUF", 80, 610_000, "apache-2.0", ""),
    ("ggml-org/gpt-oss-120b-GGUF", 117, 590_000, "apache-2.0", ""),
)


def found() -> tuple[FoundModel, ...]:
    """Return search results."""
    return tuple(
        FoundModel(id_, loads, 900, "2026-10-02T08:00:00Z", "manual" if gated else "", licence, params * GB)
        for id_, params, loads, licence, gated in _FOUND
    )


def many(count: int, start: int = 0) -> tuple[FoundModel, ...]:
    """Return so many results."""
    return tuple(
        FoundModel(f"author{n % 7}/Model-{n}-GGUF", 1000 - n, params=n * GB)
        for n in range(start, start + count)
    )


_QUANTS = {"Q8_0": 26.6, "Q6_K": 21.0, "UD-Q5_K_XL": 18.7, "Q5_K_M": 18.2, "UD-Q4_K_XL": 16.4, "Q4_K_M": 15.7, "Q4_0": 14.7, "IQ4_XS": 14.4, "UD-Q3_K_XL": 13.5, "Q3_K_M": 12.7, "UD-Q2_K_XL": 11.0, "UD-IQ2_XXS": 8.7}  # fmt: skip


def quant(name: str, gb: float, model: str = "Model") -> Quant:
    """Return a quantization of one file."""
    return Quant(name, (HubFile(f"{model}-{name}.gguf", bytes_of(gb), "0" * 64),))


def repository(id_: str = "unsloth/Qwen3.6-27B-GGUF", quants: dict[str, float] | None = None) -> Repository:
    """Return a repository that is open to all, with a projector for images."""
    sized = _QUANTS if quants is None else quants
    images = Quant("mmproj-F16", (HubFile("mmproj-F16.gguf", bytes_of(0.9), "0" * 64),), "mmproj")
    return Repository(
        id_,
        "0" * 40,
        licence="apache-2.0",
        downloads=4_100_000,
        likes=812,
        modified="2026-10-02T08:00:00Z",
        params=27 * GB,
        arch="qwen35",
        n_ctx_train=262_144,
        summary="Qwen3.6-27B is a dense model for coding and agents, with images as input.",
        quants=(*(quant(name, gb) for name, gb in sized.items()), images) if sized else (),
    )


def gated_repository() -> Repository:
    """Return a repository whose author asks for terms to be accepted."""
    sizes = {"F16": 15.0, "Q8_0": 8.0, "Q6_K": 6.1, "Q5_K_M": 5.3, "Q4_K_M": 4.6}
    return Repository(
        "meta-llama/Llama-3.1-8B-Instruct-GGUF",
        "0" * 40,
        gated="auto",
        licence="llama3.1",
        downloads=1_900_000,
        likes=2100,
        params=8 * GB,
        arch="llama",
        n_ctx_train=131_072,
        quants=tuple(quant(name, gb) for name, gb in sizes.items()),
    )


def download(
    repo: str = "unsloth/Qwen3.6-27B-GGUF",
    name: str = "IQ4_XS",
    gb: float = 14.4,
    received: float = 9.04,
    state: DownloadState = DownloadState.ACTIVE,
    **more: Any,  # noqa: ANN401 -- fields of the value
) -> Download:
    """Return a download of one file."""
    file = HubFile(f"{repo.partition('/')[2]}-{name}.gguf", bytes_of(gb), "0" * 64)
    progress = FileProgress(file, bytes_of(received), state is DownloadState.DONE)
    values: dict[str, Any] = {"id": f"{repo}:{name}", "added_at": NOW - 300, **more}
    return Download(
        repo=repo, commit="0" * 40, branch="main", quant=name, files=(progress,), state=state, **values
    )


def downloads() -> tuple[Download, ...]:
    """Return one download of every state."""
    split = tuple(
        FileProgress(
            HubFile(f"gpt-oss-120b-MXFP4-0000{n}-of-00003.gguf", bytes_of(19.7)), bytes_of(gb), gb > 19
        )
        for n, gb in ((1, 19.7), (2, 1.7), (3, 0))
    )
    states = DownloadState
    return (
        download(bytes_per_s=48.2e6, note="pair with Qwen3.5-4B"),
        Download(
            "split", "ggml-org/gpt-oss-120b-GGUF", "0" * 40, "main", "MXFP4", split, states.WAITING, attempt=2, retry_at=NOW + 6,
            error="The connection was reset.", added_at=NOW - 900,
        ),
        download("unsloth/Qwen3.5-9B-GGUF", "Q8_0", 8.86, 8.86, states.VERIFYING, checked_bytes=bytes_of(6.29), note="pair with Qwen3.8-27B"),
        download("unsloth/Qwen3.8-27B-GGUF", "Q4_K_M", 15.9, 0, states.QUEUED, note="pair with Qwen3.5-9B"),
        download("unsloth/gemma-4-26B-A4B-it-GGUF", "UD-Q4_K_M", 15.8, 3.11, states.PAUSED, paused_at=NOW - 4000),
        download("unsloth/GLM-4.7-Flash-GGUF", "Q4_K_M", 17.1, 17.1, states.FAILED, error="The sha256 differs from the one on the Hub, so the file was set aside.", hint="Download it again."),
        download("unsloth/Qwen3.5-4B-GGUF", "Q4_K_M", 2.62, 2.62, states.DONE, ended_at=NOW - 242, path="/hub/qwen4.gguf", note="pair with Qwen3.6-27B"),
    )  # fmt: skip


def disk_model(
    name: str,
    quant_: str = "Q4_K_M",
    gb: float = 1.0,
    place: Place = Place.HUB,
    state: DiskState = DiskState.READY,
    **more: Any,  # noqa: ANN401 -- fields of the value
) -> DiskModel:
    """Return a model that is nowhere on the disk."""
    path = f"/{place.value}/{name}-{quant_}.gguf"
    values: dict[str, Any] = {
        "arch": "qwen35",
        "n_ctx_train": 262_144,
        "files": (path,),
        "repo": f"unsloth/{name}-GGUF",
        **more,
    }
    ref = path if state in (DiskState.READY, DiskState.DUPLICATE) else ""
    return DiskModel(ref, path, name, place, state, bytes_of(gb), quant=quant_, **values)


def disk() -> Disk:
    """Return a disk with models of several programs, some with a problem."""
    hub, studio, ollama, folder = Place.HUB, Place.LM_STUDIO, Place.OLLAMA, Place.FOLDER
    states = DiskState
    models = (
        disk_model("Qwen3-Coder-Next", "UD-Q3_K_XL", 17.2, hub, states.PART_MISSING, arch="qwen3next", problem="Part 2 of 2 is missing."),
        disk_model("gemma-4-26B-A4B-it", "UD-Q4_K_M", 3.1, hub, states.PARTIAL, arch="gemma4", fraction=0.197, problem="Its download did not end."),
        disk_model("gemma-4-12b-it", "Q4_0", 6.2, folder, states.BROKEN, arch="gemma4", n_ctx_train=0, problem="The file ends early: 6.2 of 6.6 GB."),
        disk_model("Qwen3.5-9B", "Q6_K", 6.9, studio, states.DUPLICATE, same_as="/hub/Qwen3.5-9B-Q6_K.gguf"),
        disk_model("Qwen3.6-27B", "Q4_K_M", 15.7, hub),
        disk_model("Qwen3.5-9B", "Q6_K", 6.9, hub),
        disk_model("Qwen3.5-4B", "Q4_K_M", 2.6, hub),
        disk_model("Qwen3-Coder-30B-A3B", "UD-Q4_K_XL", 16.5, studio, arch="qwen3moe"),
        disk_model("Devstral-Small-2-24B", "Q4_K_M", 13.3, studio, arch="mistral3", n_ctx_train=393_216),
        disk_model("Qwen3.8-Flash-Next", "UD-IQ1_M", 69.8, studio, arch="qwen4exp", files=("/a", "/b")),
        disk_model("gpt-oss:20b", "MXFP4", 12.8, ollama, arch="gpt-oss", n_ctx_train=131_072),
        disk_model("qwen2.5-coder:7b", "Q4_K_M", 4.4, ollama, arch="qwen2", n_ctx_train=32_768),
        disk_model("granite-4.1-8b", "Q4_K_M", 5.0, folder, arch="granite", n_ctx_train=131_072),
        disk_model("Qwen3.5-0.8B", "Q8_0", 0.8, folder),
    )  # fmt: skip
    return Disk(models, bytes_of(600), bytes_of(312), ("/hub", "/data/models"))
