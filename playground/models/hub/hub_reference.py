"""How a person names a model of the Hub: ``owner/name``, ``hf:owner/name:QUANT``, or an address that was copied."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from playground.errors import UsageError
from playground.models.quants import name_of

_NAME = re.compile(r"(?=.{3,96}$)[A-Za-z0-9_][\w.-]*/[A-Za-z0-9_][\w.-]*", re.ASCII)
_QUANT = re.compile(r"[\w.-]{1,64}", re.ASCII)
_REVISION = re.compile(r"[\w./-]{1,200}", re.ASCII)
_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co", "www.hf.co")
_OTHER_KINDS = ("datasets", "spaces", "collections", "papers", "api", "blog", "docs")
_FILE_VIEWS = ("blob", "resolve", "raw")


@dataclass(frozen=True, slots=True)
class HubReference:
    """A repository, and what of it was named: a quantization, a revision; empty where none was."""

    repo: str
    quant: str = ""
    revision: str = ""


def is_repo(text: str) -> bool:
    """Return whether a text can be ``owner/name`` on the Hub. Nothing else may reach an address or a folder."""
    return _NAME.fullmatch(text) is not None and not any(part in text for part in ("..", "--", "./"))


def parse(text: str, own_host: str = "") -> HubReference:
    """Return what a reference names. ``own_host``: of a mirror that is used. Raises UsageError."""
    text = text.strip()
    if "://" in text or text.partition("/")[0].lower() in _HOSTS:
        return _from_address(text, own_host)
    repo, _, quant = text.removeprefix("hf:").partition(":")
    return _checked(text, repo, quant, "")


def _from_address(text: str, own_host: str) -> HubReference:
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").lower()
    except ValueError:
        host = ""
    if host not in _HOSTS and host != own_host.lower():
        raise UsageError(f"{text} is no address of the Hub.", hint="Write hf:owner/name or its address.")
    steps = [unquote(step) for step in parts.path.split("/") if step]
    if steps and steps[0] in _OTHER_KINDS:
        raise UsageError(f"{text} is no model's address.", hint="Copy the address of the model's page.")
    if len(steps) < 2:
        raise UsageError(f"{text} names no model.", hint="Copy the address of the model's page.")
    repo, _, quant = "/".join(steps[:2]).partition(":")
    view, revision = (steps[2], steps[3]) if len(steps) > 3 else ("", "")
    if view not in (*_FILE_VIEWS, "tree"):
        return _checked(text, repo, quant, "")
    if view in _FILE_VIEWS and not quant:
        found = name_of(None, steps[-1])
        quant = "" if found == "unknown" else found
    return _checked(text, repo, quant, revision)


def _checked(text: str, repo: str, quant: str, revision: str) -> HubReference:
    if not is_repo(repo) or (quant and not _QUANT.fullmatch(quant)):
        raise UsageError(
            f"{text} is not a Hub reference.",
            hint="Write owner/name, hf:owner/name:QUANT or the model's address.",
        )
    if revision and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise UsageError(
            f"{text} names no usable revision.", hint="Write hf:owner/name or the model's address."
        )
    return HubReference(repo, quant, revision)
