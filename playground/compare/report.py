"""A finished comparison as data: the schema ``playground.compare/1``, documented in the README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from playground.compare.events import LaneResult, Plan

SCHEMA = "playground.compare/1"


def report(
    prompt: Mapping[str, str | None], plan: Plan | None, results: Sequence[LaneResult]
) -> dict[str, Any]:
    """Return the report of a run as plain JSON values. ``prompt`` holds id, text and system."""
    return {
        "schema": SCHEMA,
        "prompt": dict(prompt),
        "plan": msgspec.to_builtins(plan) if plan else None,
        "lanes": [_lane(result) for result in results],
    }


def _lane(result: LaneResult) -> dict[str, Any]:
    model, memory = result.model, result.memory
    answer: dict[str, Any] = msgspec.to_builtins(result.options)
    sampling: dict[str, Any] = answer["sampling"]
    load: dict[str, Any] = msgspec.to_builtins(result.load)
    loaded = result.loaded
    return {
        "slot": result.slot,
        "model": {
            "ref": model.ref,
            "path": model.path,
            "name": model.name,
            "size_bytes": model.size_bytes,
            "arch": model.arch,
            "quant": model.quant,
            "params": model.params,
            "is_base": model.is_base,
        },
        "answer": result.answer,
        "answer_prefix": result.answer_prefix,
        "reasoning": result.reasoning,
        "stop": result.stop,
        "error": _error(result),
        "usage": msgspec.to_builtins(result.usage),
        "timings": msgspec.to_builtins(result.timings),
        "shared": result.shared,
        "memory": msgspec.to_builtins(memory),
        "settings": {
            **sampling,
            **load,
            "n_ctx": loaded.n_ctx if loaded else result.load.n_ctx,
            "gpu_layers_used": loaded.gpu_layers if loaded else None,
            "threads": result.threads,
            **{key: value for key, value in answer.items() if key != "sampling"},
        },
        "placement": msgspec.to_builtins(loaded.placement) if loaded and loaded.placement else None,
        "draft": msgspec.to_builtins(result.draft) if result.draft else None,
        "warnings": list(result.warnings),
    }


def _error(result: LaneResult) -> dict[str, str] | None:
    error = result.error
    return {"kind": error.kind, "message": error.message, "hint": error.hint} if error else None
