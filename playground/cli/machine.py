"""This machine, or the one that ``--memory`` and ``--gpu-memory`` describe, for what the command line says about fits."""

from __future__ import annotations

import argparse

from playground.compare.machine_now import machine_now
from playground.engines.pool import EnginePool
from playground.models import hardware
from playground.models.fitness import Machine
from playground.models.machine import typed


async def machine_for(arguments: argparse.Namespace) -> Machine:
    """Return the machine that models are held against."""
    memory, gpu_memory = getattr(arguments, "memory", None), getattr(arguments, "gpu_memory", None)
    if memory is not None or gpu_memory is not None:
        return typed(memory, gpu_memory)
    pool = EnginePool(hardware.physical_cores())
    try:
        return machine_now(await pool.known_devices())
    finally:
        await pool.close()
