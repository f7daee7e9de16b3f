"""The loaded models: one engine process per slot, kept between prompts so that their caches stay warm."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

import msgspec

from playground import logs
from playground.chat.options import LoadOptions
from playground.engines.process import EngineProcess
from playground.engines.protocol import Device, Loaded
from playground.engines.threads import ThreadBudget
from playground.errors import EngineError

_log = logs.get("engines")


class EnginePool:
    """Engines by slot (a lane's letter). ``cores`` is what all of them share.

    ``placing`` is held while a model is put onto devices, whose free memory would otherwise be counted twice.
    ``devices`` is what was last seen of them.
    """

    def __init__(self, cores: int, command: Sequence[str] | None = None) -> None:
        self.budget = ThreadBudget(cores)
        self.placing = asyncio.Lock()
        self.devices: tuple[Device, ...] = ()
        self._has_looked = False
        self._command = command
        self._engines: dict[str, EngineProcess] = {}
        self._keys: dict[str, tuple[str, LoadOptions]] = {}
        self._loading: dict[str, EngineProcess] = {}

    def ready(self, slot: str, path: str, options: LoadOptions) -> EngineProcess | None:
        """Return the slot's engine when it lives and holds exactly this model with these options."""
        engine = self._engines.get(slot)
        same = self._keys.get(slot) == (path, _loading_key(options))
        return engine if engine is not None and engine.is_alive and same else None

    def loaded(self) -> dict[str, Loaded]:
        """Return what is in memory, by slot."""
        return {s: e.loaded for s, e in self._engines.items() if e.is_alive and e.loaded is not None}

    def pids(self) -> list[int]:
        """Return the process ids of all engines that live."""
        running = [*self._engines.values(), *self._loading.values()]
        return [engine.pid for engine in running if engine.is_alive and engine.pid is not None]

    async def load(
        self, slot: str, path: str, options: LoadOptions, work: Callable[[EngineProcess], Awaitable[None]]
    ) -> EngineProcess:
        """Load a model into a slot, in place of what is there; ``work`` loads it. Raises EngineError."""
        await self.unload(slot)
        engine = self._loading[slot] = EngineProcess(self._command)
        try:
            await engine.start()
            await work(engine)
        except BaseException:
            await engine.kill()
            raise
        finally:
            self._loading.pop(slot, None)
        self._engines[slot] = engine
        self._keys[slot] = (path, _loading_key(options))
        return engine

    def paths(self) -> list[str]:
        """Return the model files that are in memory."""
        return [path for slot, (path, _) in self._keys.items() if self._engines[slot].is_alive]

    async def known_devices(self, *, fresh: bool = False, rpc: tuple[str, ...] = ()) -> tuple[Device, ...]:
        """Return the devices of this machine; the first time from a worker started for that. () when it fails.

        ``fresh``: with the memory that is free now, where that is not the machine's own, and with those of the RPC
        servers ``rpc`` (``host:port``).
        """
        async with self.placing:
            has_own_memory = bool(rpc) or any(device.kind == "gpu" for device in self.devices)
            if not self._has_looked or (fresh and has_own_memory):
                self._has_looked = True
                await self._look(rpc if fresh else ())
        return self.devices

    async def _look(self, rpc: tuple[str, ...]) -> None:
        engine = EngineProcess(self._command)
        try:
            await engine.start()
            self.devices = (await engine.describe(rpc)).devices
        except EngineError as error:
            _log.info("the devices are unknown: %s", error.message)
        finally:
            await engine.close()

    async def unload(self, slot: str) -> None:
        """Give a slot's memory back."""
        engine = self._engines.pop(slot, None)
        self._keys.pop(slot, None)
        if engine is not None:
            await engine.close()

    async def unload_files(self, paths: Collection[str]) -> None:
        """Give back the memory of what was loaded from these files."""
        for slot in [slot for slot, (path, _) in self._keys.items() if path in paths]:
            await self.unload(slot)

    async def close(self) -> None:
        """End all engines."""
        loading = list(self._loading.values())
        slots = list(self._engines)
        await asyncio.gather(*(engine.kill() for engine in loading), *(self.unload(slot) for slot in slots))


def _loading_key(options: LoadOptions) -> LoadOptions:
    """Return the options without those that can change while a model stays loaded."""
    return msgspec.structs.replace(options, threads=None)
