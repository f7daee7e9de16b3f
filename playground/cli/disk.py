"""``playground models verify`` and ``playground models rm``: are the files what they should be, and away with them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from playground.cli import output
from playground.errors import PlaygroundError, UsageError, one_line
from playground.models import reference, starter
from playground.models.disk import checksum, hub_cache, inventory, places, removal
from playground.models.disk.inventory_values import DiskModel
from playground.models.gguf import split_paths

_YES = ("y", "yes")
_SHOWN_EVERY_BYTES = 64 << 20


def verify(arguments: argparse.Namespace) -> int:
    """Hash a model's files and compare; return 1 when one is not what it should be."""
    path = reference.locate(reference.parse(arguments.ref))
    parts = split_paths(path)
    results = [_verified(part, f"{number} of {len(parts)}") for number, part in enumerate(parts, 1)]
    states = {str(result["state"]) for result in results}
    output.status("")
    if arguments.json:
        output.json_data(
            {
                "schema": "playground.verify/1",
                "ref": arguments.ref,
                "state": _overall(states),
                "files": results,
            }
        )
    else:
        for result in results:
            output.data(f"{result['sha256']}  {one_line(str(result['path']))}\n")
    output.say(_verdict(_overall(states), path))
    return 1 if "mismatch" in states else 0


def _verified(path: Path, which: str) -> dict[str, object]:
    expected = checksum.expected_sha256(path)
    size = checksum.size_bytes(path)

    def progress(done_bytes: int) -> None:
        if done_bytes % _SHOWN_EVERY_BYTES == 0:
            output.status(f"{which}: {done_bytes / 1e9:.1f} of {size / 1e9:.1f} GB")

    found = checksum.file_sha256(path, progress, again=True)
    state = "unknown" if not expected else "ok" if found == expected else "mismatch"
    return {
        "path": str(path),
        "size_bytes": size,
        "sha256": found,
        "expected_sha256": expected or None,
        "state": state,
    }


def _overall(states: set[str]) -> str:
    return next((state for state in ("mismatch", "unknown") if state in states), "ok")


def _verdict(state: str, path: Path) -> str:
    if state == "ok":
        return "Every file is what its sha256 says."
    if state == "unknown":
        return "Nothing on this disk says what the sha256 should be: compare it with the publisher's."
    wrong = "The content is not what its sha256 says."
    if repository := hub_cache.repository_of(path):
        ref = f"hf:{hub_cache.repository_name(repository)}:{hub_cache.quant_of(path)}"
        return f"{wrong} Fetch what is wrong of it again: playground models pull {ref}"
    if path == starter.source_path():
        return (
            f"{wrong} Delete it with 'playground models rm starter': it is made again when it is next used."
        )
    return f"{wrong} Fetch it again with the program that it belongs to."


def remove(arguments: argparse.Namespace) -> int:
    """Delete a model for good, after a question."""
    model = inventory.named(inventory.scan(), arguments.ref)
    freed = removal.expected_freed_bytes([model])
    if not arguments.yes and not _agreed(model, freed):
        output.say("Nothing was deleted.")
        return 1
    freed = removal.remove([model])
    if arguments.json:
        output.json_data(
            {
                "schema": "playground.removed/1",
                "ref": model.ref,
                "path": model.path,
                "files": list(model.files),
                "freed_bytes": freed,
            }
        )
    output.say(f"Deleted {model.name}: {_size(freed)} freed.")
    return 0


def _agreed(model: DiskModel, freed: int) -> bool:
    """Ask on the terminal. Raises UsageError where nobody can answer."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()):
        raise UsageError("Nobody can be asked whether to delete it.", hint="Add --yes to delete it unasked.")
    output.say("\n".join(one_line(path) for path in model.files))
    output.say(
        f"Delete {model.name} from {places.NAMES[model.place]} for good? It frees {_size(freed)}. [y/N]"
    )
    try:
        return input().strip().lower() in _YES
    except EOFError:
        return False
    except UnicodeDecodeError as error:
        raise PlaygroundError("The answer is no text.", hint="Type y or n.") from error


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 10**7 else f"{size_bytes / 1e6:.1f} MB"
