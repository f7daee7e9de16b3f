"""Fits, machines and proposed pairs as lines for a person and as JSON."""

from __future__ import annotations

from typing import Any

from playground.models.catalog.catalog_values import Proposal, Side
from playground.models.fitness import Fit, How, Machine, Verdict
from playground.models.measured import Measured

_VERDICTS: dict[Verdict, str] = {
    "well": "fits well",
    "tight": "fits, tightly",
    "partly": "runs partly on the CPU, several times slower",
    "too_big": "too big",
}
_HOWS: dict[How, str] = {
    "together": "together",
    "in_turn": "one after the other",
    "only_compact": "only the compact one",
    "only_larger": "only the larger one",
    "neither": "neither",
}


def gb(size_bytes: int) -> str:
    """Return a size in gigabytes, of 10^9 bytes as everywhere in the app, a small one in megabytes."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def machine_line(machine: Machine) -> str:
    """Return what a machine has free."""
    gpus = "".join(f", {device.name} {gb(device.free_bytes)}" for device in machine.devices)
    return f"Free: memory {gb(machine.free_bytes)}{gpus or ', no GPU'}"


def machine_json(machine: Machine) -> dict[str, Any]:
    """Return a machine as JSON."""
    return {
        "total_bytes": machine.total_bytes,
        "free_bytes": machine.free_bytes,
        "is_unified": machine.is_unified,
        "device_name": machine.device_name,
        "devices": [{"name": device.name, "free_bytes": device.free_bytes} for device in machine.devices],
    }


def fit_json(fit: Fit) -> dict[str, Any]:
    """Return a fit as JSON."""
    memory = fit.memory
    return {
        "verdict": fit.verdict,
        "weights_bytes": memory.weights_bytes,
        "cache_bytes": memory.kv_bytes,
        "state_bytes": memory.recurrent_bytes,
        "buffers_bytes": memory.compute_bytes,
        "total_bytes": memory.total_bytes,
        "free_bytes": fit.free_bytes,
        "spare_bytes": fit.spare_bytes,
        "gpu_layers": fit.gpu_layers,
        "layers": fit.layers,
        "cpu_expert_layers": fit.cpu_expert_layers,
        "largest_context": fit.largest_context,
    }


def fit_lines(fit: Fit, machine: Machine, measured: Measured | None = None) -> list[str]:
    """Return what a model needs and whether it fits."""
    memory = fit.memory
    cache = memory.kv_bytes + memory.recurrent_bytes
    parts = f"{gb(memory.weights_bytes)} weights + {gb(cache)} cache + {gb(memory.compute_bytes)} buffers"
    lines = [f"  needs    {parts} = {gb(memory.total_bytes)} of {gb(fit.free_bytes)} free"]
    if measured is not None:
        lines.append(f"  measured {gb(measured.total_bytes)} when it was last loaded with this context")
    lines.append(f"  verdict  {_VERDICTS[fit.verdict]}")
    if machine.devices:
        experts = f", experts of {fit.cpu_expert_layers} on the CPU" if fit.cpu_expert_layers else ""
        lines.append(f"  GPU      {fit.gpu_layers} of {fit.layers} layers{experts}")
    largest = f"{fit.largest_context:,} tokens" if fit.largest_context else "none fits"
    lines.append(f"  context  {largest} at most")
    return lines


def proposal_json(item: Proposal) -> dict[str, Any]:
    """Return a proposed pair as JSON."""
    return {
        "id": item.pair.id,
        "title": item.pair.title,
        "why": item.pair.why,
        "is_story": item.pair.is_story,
        "memory_gb": item.pair.memory_gb,
        "how": item.fit.how,
        "reason": item.fit.reason,
        "fetch_bytes": item.fetch_bytes,
        "compact": _side_json(item.compact, item.fit.compact),
        "larger": _side_json(item.larger, item.fit.larger),
    }


def proposal_text(item: Proposal) -> str:
    """Return a proposed pair as lines: its title, its sides with their references, how it fits."""
    fetch = f"{gb(item.fetch_bytes)} to fetch" if item.fetch_bytes else "on this disk"
    lines = [f"{item.pair.title}: {_HOWS[item.fit.how]}, {fetch}"]
    for side in (item.compact, item.larger):
        about = "about " if side.quant.is_rough else ""
        rough = ", roughly estimated" if side.model.numbers.is_rough else ""
        here = ", on this disk" if side.path else ""
        lines.append(
            f"  {_ref(side):58} {about}{gb(side.quant.size_bytes)}, {side.model.licence}{rough}{here}"
        )
    lines.append(f"  {item.fit.reason}")
    if item.pair.why:
        lines.append(f"  {item.pair.why}")
    return "\n".join(lines) + "\n"


def _side_json(side: Side, fit: Fit) -> dict[str, Any]:
    model = side.model
    return {
        "ref": _ref(side),
        "model": model.id,
        "name": model.name,
        "repo": model.repo,
        "quant": side.quant.name,
        "size_bytes": side.quant.size_bytes,
        "licence": model.licence,
        "params": model.params,
        "active_params": model.active_params,
        "path": side.path or None,
        "is_rough": _is_rough(side),
        "scores": [
            {"benchmark": s.benchmark, "value": s.value, "source": s.source, "read": s.read.isoformat()}
            for s in model.scores
        ],
        "fit": fit_json(fit),
    }


def _ref(side: Side) -> str:
    return f"hf:{side.model.repo}:{side.quant.name}"


def _is_rough(side: Side) -> bool:
    return side.quant.is_rough or side.model.numbers.is_rough
