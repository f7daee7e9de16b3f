"""A run as data: the schema ``playground.bench/1``, documented in the README."""

from __future__ import annotations

from typing import Any

import msgspec

from playground.bench.run_data import RunData, TaskRun
from playground.bench.verdict import verdict

SCHEMA = "playground.bench/1"


def bench_report(data: RunData) -> dict[str, Any]:
    """Return a run as plain JSON values: its set-up, its verdict, what became of each answer. Raw answers stay in the file."""
    header, found = data.header, verdict(data)
    built: dict[str, Any] = msgspec.to_builtins(found)
    return {
        "schema": SCHEMA,
        "run": {
            "id": header.id,
            "started_at": header.started_at,
            "ended_at": data.end.ended_at if data.end is not None else None,
            "complete": data.is_complete,
            "reason": data.end.reason if data.end is not None else "",
            "app_version": header.app_version,
            "engine": header.engine,
            "sandbox": header.sandbox,
            "machine": msgspec.to_builtins(header.machine),
        },
        "suite": {
            "id": header.suite_id,
            "version": header.suite_version,
            "sha256": header.suite_sha256,
            "title": header.suite_title,
            "caution": header.caution,
            "tasks": len(header.tasks),
        },
        "settings": msgspec.to_builtins(header.settings),
        "lanes": [_lane(data, slot) for slot in data.slots],
        "verdict": {
            name: built[name]
            for name in ("headline", "settled", "sentences", "scores", "pair", "costs", "faults")
        },
        "tasks": [_task(data, task) for task in header.tasks],
        "notes": list(data.notes),
    }


def _lane(data: RunData, slot: str) -> dict[str, Any]:
    lane, load, end = data.lane(slot), data.loads.get(slot), data.lane_ends.get(slot)
    return {
        "slot": slot,
        "model": msgspec.to_builtins(lane.model),
        "sha256": lane.sha256,
        "template_sha256": lane.template_sha256,
        "load": msgspec.to_builtins(lane.load),
        "answer": msgspec.to_builtins(lane.answer),
        "loaded": msgspec.to_builtins(load) if load is not None else None,
        "error": end.error or None if end is not None else None,
    }


def _task(data: RunData, task: str) -> dict[str, Any]:
    info = data.info(task)
    return {
        "id": task,
        "title": info.title,
        "language": info.language,
        "tier": info.tier,
        "topic": info.topic,
        "lanes": {slot: _samples(data.task(slot, task)) for slot in data.slots},
    }


def _samples(run: TaskRun) -> list[dict[str, Any]]:
    found = []
    for sample in run.samples:
        answer, result = sample.answer, sample.result
        found.append(
            {
                "sample": sample.number,
                "outcome": str(sample.outcome) if sample.outcome is not None else None,
                "passed": result.judged.passed if result is not None else 0,
                "total": result.judged.total if result is not None else 0,
                "message": result.judged.message if result is not None else "",
                "how": result.extracted.how if result is not None else "",
                "code": result.extracted.code if result is not None else "",
                "cases": msgspec.to_builtins(result.judged.cases) if result is not None else [],
                "stop": answer.stop if answer is not None else None,
                "error": (answer.error or None) if answer is not None else None,
                "seed": answer.seed if answer is not None else None,
                "usage": msgspec.to_builtins(answer.usage) if answer is not None else None,
                "timings": msgspec.to_builtins(answer.timings) if answer is not None else None,
            }
        )
    return found
