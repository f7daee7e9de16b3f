"""The models that can be run, as the model picker and a reference want them. Blocking."""

from __future__ import annotations

from pathlib import Path

import msgspec

from playground.errors import ModelError
from playground.models import starter
from playground.models.disk import inventory
from playground.models.disk.header_facts import facts_of
from playground.models.disk.inventory_values import DiskModel, DiskState
from playground.models.files import ModelFile
from playground.models.gguf import check_complete, read_header, split_paths


def describe(path: Path, ref: str | None = None) -> ModelFile:
    """Return what the headers of a model's files say. Raises ModelError for a missing or damaged file."""
    header = read_header(path)
    if not header.arch:
        raise ModelError(f"{path.name} does not name an architecture.", hint="Choose another model.")
    size = params = 0
    for part in split_paths(path):
        part_header = header if part == path else read_header(part)
        check_complete(part, part_header)
        size += part_header.file_bytes
        params += sum(tensor.elements for tensor in part_header.tensors)
    facts = facts_of(path, header)
    return ModelFile(
        ref=ref or str(path),
        path=str(path),
        name=facts.name,
        size_bytes=size,
        arch=facts.arch,
        quant=facts.quant,
        params=params,
        n_ctx_train=facts.n_ctx_train,
        is_base=facts.is_base,
        licence=facts.licence,
    )


def describe_starter(quant: str) -> ModelFile:
    """Return the starter in one of its quantizations, whose file must exist. Raises ModelError."""
    ref = "starter" if quant == starter.QUANT else f"starter:{quant}"
    found = describe(starter.copy_path(quant), ref)
    return msgspec.structs.replace(found, name=starter.NAME, quant=quant, licence=starter.LICENCE)


def local_models() -> list[ModelFile]:
    """Return the models on this disk that can be run, the starter first; each content once."""
    return [model_file(model) for model in inventory.scan().models if model.state is DiskState.READY]


def model_file(model: DiskModel) -> ModelFile:
    """Return a model of the inventory as one to be run."""
    return ModelFile(
        ref=model.ref,
        path=model.path,
        name=model.name,
        size_bytes=model.size_bytes,
        arch=model.arch,
        quant=model.quant,
        params=model.params,
        n_ctx_train=model.n_ctx_train,
        is_base=model.is_base,
        licence=model.licence,
    )
