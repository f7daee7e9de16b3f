"""Homes as other programs leave them: their folders, their names, and model files of a few hundred bytes."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import pytest

from playground.models.disk import inventory
from playground.models.disk.inventory_values import DiskModel
from tests.support.broken_gguf import Parts, Tensor, string, u32

_VARIABLES = (
    *("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "LLAMA_CACHE", "OLLAMA_MODELS"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"),
)
COMMIT = "9338f7b671827df886678df2bdd7cc7b4f36dffd"
OLDER_COMMIT = "1" * 40
_F32 = 0
_VALUES = 64


def found(**wanted: object) -> list[DiskModel]:
    """Return the models that a scan finds, those with these values."""
    return [m for m in inventory.scan().models if all(getattr(m, k) == v for k, v in wanted.items())]


def one(**wanted: object) -> DiskModel:
    """Return the only such model."""
    [model] = found(**wanted)
    return model


def gguf_bytes(name: str = "Small", *, arch: str = "llama", mark: int = 1, **texts: str) -> bytes:
    """Return a well-formed model of one tensor. Another ``mark`` makes another content of the same size."""
    keys = {
        "general.architecture": string(arch),
        "general.name": string(name),
        "general.license": string("apache-2.0"),
        "general.file_type": u32(15),
        f"{arch}.context_length": u32(4096),
        "tokenizer.chat_template": string("{{ messages }}"),
    }
    keys |= {key.replace("__", "."): string(value) for key, value in texts.items()}
    data = struct.pack(f"<{_VALUES}f", *([float(mark)] * _VALUES))
    return Parts(keys, (Tensor(b"output.weight", (_VALUES,), _F32, 0),), data).to_bytes()


def sha256(content: bytes) -> str:
    """Return a content's sha256."""
    return hashlib.sha256(content).hexdigest()


class Home:
    """A user's home folder, and the app's folders in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.app = root / "playground" / "data" / "models"
        self.hub = root / ".cache" / "huggingface" / "hub"
        self.lm_studio = root / ".lmstudio" / "models"
        self.ollama = root / ".ollama" / "models"
        self.jan = root / ".config" / "Jan" / "data"
        self.gpt4all = root / ".local" / "share" / "nomic.ai" / "GPT4All"
        self.llama_cpp = root / ".cache" / "llama.cpp"

    def enter(self, patch: pytest.MonkeyPatch) -> None:
        """Make it this process's home."""
        for variable in _VARIABLES:
            patch.delenv(variable, raising=False)
        for variable, value in self.environment().items():
            patch.setenv(variable, value)

    def environment(self) -> dict[str, str]:
        """Return what makes it a process's home."""
        return {
            "HOME": str(self.root),
            "PLAYGROUND_HOME": str(self.root / "playground"),
            "HF_HOME": str(self.root / ".cache" / "huggingface"),
        }

    def repository(self, repo: str) -> Path:
        """Return a repository's folder in the Hub cache."""
        return self.hub / f"models--{repo.replace('/', '--')}"

    def cached(
        self, repo: str, name: str, content: bytes, *, commit: str = COMMIT, main: bool = True
    ) -> Path:
        """Put a file into the Hub cache as its own tools do and return its link in the snapshot."""
        folder = self.repository(repo)
        blob = written(folder / "blobs" / sha256(content), content)
        if main:
            written(folder / "refs" / "main", commit.encode())
        link = folder / "snapshots" / commit / name
        link.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * len(link.parent.relative_to(folder).parts)
        link.symlink_to(f"{up}blobs/{blob.name}")
        return link

    def in_ollama(self, name: str, content: bytes, *, kind: str = "model") -> Path:
        """Put a model into Ollama as it does and return its blob."""
        model, _, tag = name.partition(":")
        layers = [self._layer(kind, content), self._layer("license", b"\n  MIT License\n\nCopyright")]
        manifest = {"schemaVersion": 2, "config": {"digest": "sha256:0"}, "layers": layers}
        path = self.ollama / "manifests" / "registry.ollama.ai" / "library" / model / tag
        written(path, json.dumps(manifest).encode())
        return self.ollama / "blobs" / f"sha256-{sha256(content)}"

    def _layer(self, kind: str, content: bytes) -> dict[str, object]:
        digest = sha256(content)
        written(self.ollama / "blobs" / f"sha256-{digest}", content)
        return {
            "mediaType": f"application/vnd.ollama.image.{kind}",
            "digest": f"sha256:{digest}",
            "size": len(content),
        }


def written(path: Path, content: bytes) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
