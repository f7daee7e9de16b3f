"""The models on this disk: the starter, what the app made, what the Hugging Face cache holds. Blocking."""

from __future__ import annotations

import re
from pathlib import Path

from playground import config, logs
from playground.errors import ModelError, one_line
from playground.models import hub, starter
from playground.models.files import ModelFile
from playground.models.gguf import check_complete, read_header, split_paths
from playground.models.quants import name_of

_log = logs.get("models")
_QUANT_TAIL = re.compile(r"[-._](?:UD-)?(?:I?Q\d\w*|B?F16|F32|MXFP4\w*)$", re.IGNORECASE)


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
    template = header.metadata.get("tokenizer.chat_template")
    return ModelFile(
        ref=ref or str(path),
        path=str(path),
        name=_name(path, header.metadata),
        size_bytes=size,
        arch=header.arch,
        quant=name_of(header.metadata.get("general.file_type"), path.name),
        params=params,
        n_ctx_train=max(0, header.number("context_length")),
        is_base=not (isinstance(template, str) and template.strip()),
        licence=_licence(header.metadata),
    )


def describe_starter(quant: str) -> ModelFile:
    """Return the starter in one of its quantizations, whose file must exist. Raises ModelError."""
    import msgspec

    ref = "starter" if quant == starter.QUANT else f"starter:{quant}"
    found = describe(starter.copy_path(quant), ref)
    return msgspec.structs.replace(found, name=starter.NAME, quant=quant, licence=starter.LICENCE)


def local_models() -> list[ModelFile]:
    """Return the models that can be run, the starter first; broken files are left out and logged."""
    found: dict[str, ModelFile] = {}
    for ref, path in _candidates():
        try:
            is_starter = path.parent == starter.folder()
            model = describe_starter(_starter_quant(path)) if is_starter else describe(path, ref)
        except ModelError as error:
            _log.info("left out: %s", error.message)
            continue
        found.setdefault(str(path.resolve()), model)
    return list(found.values())


def _candidates() -> list[tuple[str, Path]]:
    models = config.folders().models
    own = sorted(models.rglob("*.gguf")) if models.is_dir() else []
    first = [path for path in own if "-of-" not in path.name or "-00001-of-" in path.name]
    first.sort(key=lambda path: (path.parent != starter.folder(), path != starter.source_path(), path.name))
    return [(str(path), path) for path in first] + hub.cached_ggufs()


def _starter_quant(path: Path) -> str:
    return path.stem.removeprefix("gemma-3-270m-")


def _licence(metadata: dict[str, object]) -> str:
    licence = metadata.get("general.license")
    return one_line(licence, 200) if isinstance(licence, str) else ""


def _name(path: Path, metadata: dict[str, object]) -> str:
    name = metadata.get("general.name")
    if isinstance(name, str) and 0 < len(name.strip()) <= 80 and name.isprintable():
        return name.strip()
    return _QUANT_TAIL.sub("", re.sub(r"-\d{5}-of-\d{5}$", "", path.stem))
