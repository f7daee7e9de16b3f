"""The worker process: one model, driven by lines on stdin, answering on a private copy of stdout.

Started as ``python -m playground engine-worker``. It must own a duplicate of descriptor 1 and point descriptor 1
at stderr *before* llama.cpp is mapped, since native code writes to 1 and redirects it while it loads. It ends
when stdin closes, so it never outlives the app.

Two threads beside the main one: the reader, which makes a cancel take effect at once, and the heartbeat.
"""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from playground.engines import death, protocol
from playground.engines.protocol import (
    Cancel,
    Chunk,
    Command,
    Count,
    Counted,
    Event,
    Failed,
    Finished,
    Generate,
    Heartbeat,
    Hello,
    Load,
    Progress,
    PromptProgress,
    Quantize,
    SetThreads,
    ThreadsSet,
)
from playground.errors import EngineError, ErrorKind, one_line

if TYPE_CHECKING:
    from playground.engines.llama.engine import Engine
    from playground.engines.llama.job import Job

HEARTBEAT_S = 1.0
# Text is sent at most so often. Where cores are few, whoever reads it takes one from those that compute, and the window
# paints every 50 ms there.
BATCH_S = 0.025 if (os.cpu_count() or 1) > 4 else 0.045
_PROGRESS_S = 0.05
STACK_BYTES = 112 << 20  # the kernel keeps 128 MB free for it


class Wire:
    """The way out: whole lines on a private descriptor, from any thread."""

    def __init__(self) -> None:
        self._descriptor = os.dup(1)
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def send(self, event: Event) -> None:
        """Write one event. The process ends when nobody reads any more."""
        line = memoryview(protocol.encode(event))
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:
                os._exit(0)


class TextBatch:
    """Collects text of an answer and sends it in batches, the first piece at once."""

    def __init__(self, wire: Wire, request_id: int, sample: int) -> None:
        self._wire = wire
        self._id, self._sample = request_id, sample
        self._answer: list[str] = []
        self._reasoning: list[str] = []
        self._sent = 0.0

    def add(self, answer: str, reasoning: str, tokens: int, decode_s: float) -> None:
        """Take text; send it when the last batch is 25 ms old."""
        self._answer.append(answer)
        self._reasoning.append(reasoning)
        if time.perf_counter() - self._sent >= BATCH_S:
            self.flush(tokens, decode_s)

    def flush(self, tokens: int, decode_s: float) -> None:
        """Send what is there."""
        answer, reasoning = "".join(self._answer), "".join(self._reasoning)
        self._answer.clear()
        self._reasoning.clear()
        self._sent = time.perf_counter()
        if answer or reasoning or tokens:
            self._wire.send(Chunk(self._id, answer, reasoning, tokens, decode_s, self._sample))


class Worker:
    """Carries out commands on the main thread; between two, it writes at the answers under way."""

    def __init__(self, wire: Wire) -> None:
        from playground.engines.llama.abort import AbortFlag

        self._wire = wire
        self._abort = AbortFlag()
        self._commands: queue.SimpleQueue[tuple[Command, float]] = queue.SimpleQueue()
        self._lock = threading.Lock()  # a cancel is queued and the flag raised as one act
        self._last_progress = 0.0
        self._engine: Engine | None = None
        self._texts: dict[tuple[int, int], TextBatch] = {}
        self._prefixes: dict[int, str] = {}

    def run(self) -> None:
        """Serve until stdin closes."""
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        while True:
            scheduler = self._engine.scheduler if self._engine else None
            is_busy = scheduler is not None and scheduler.is_busy
            for command, received in self._received(wait=not is_busy):
                self._guard(lambda c=command, r=received: self._carry_out(c, r), _id(command))  # type: ignore[misc]
            scheduler = self._engine.scheduler if self._engine else None
            if scheduler is not None and scheduler.is_busy:
                self._guard(scheduler.step, None)

    def _guard(self, work: Callable[[], None], request: int | None) -> None:
        """Do something; a failure is told, for one request or (None) for all."""
        error: EngineError | None = None
        try:
            work()
        except EngineError as caught:
            error = caught
        except Exception as caught:  # noqa: BLE001 -- the last line of defence of a process boundary
            error = _unexpected(caught)
        if error is None:
            return
        if request is None and self._engine is not None:
            self._engine.scheduler.fail(error)
        else:
            self._fail(request or 0, error)

    def _received(self, *, wait: bool) -> list[tuple[Command, float]]:
        if not wait and self._commands.empty():  # then the flag is down, too
            return []
        found = [self._commands.get()] if wait else []
        with self._lock:
            with contextlib.suppress(queue.Empty):
                while True:
                    found.append(self._commands.get_nowait())
            if any(isinstance(command, Cancel) for command, _ in found):
                self._abort.set()  # also meant for what came just before it
            else:
                self._abort.clear()
        return found

    def _read(self) -> None:
        try:
            self._read_commands()
        except BaseException:  # noqa: BLE001 -- without a reader nobody could end this process
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def _read_commands(self) -> None:
        with os.fdopen(0, "rb", buffering=1 << 16) as stdin:
            for line in stdin:
                try:
                    command = protocol.command_decoder.decode(line)
                except msgspec.MsgspecError as error:
                    self._wire.send(_misunderstood(line, error))
                    continue
                with self._lock:
                    self._commands.put((command, time.perf_counter()))
                    if isinstance(command, Cancel):
                        self._abort.set()

    def _beat(self) -> None:
        while True:
            time.sleep(HEARTBEAT_S)
            with contextlib.suppress(MemoryError):  # the next one may find some again
                self._wire.send(Heartbeat())

    def _fail(self, request: int, error: EngineError) -> None:
        for key in [key for key in self._texts if key[0] == request]:
            del self._texts[key]
        self._prefixes.pop(request, None)
        said = (str(error.kind), error.message, error.hint, error.detail)
        self._wire.send(Failed(*said, request, error.needed_tokens, error.fitting_tokens))

    def _carry_out(self, command: Command, received: float) -> None:
        if isinstance(command, Generate):
            self._generate(command, received)
        elif isinstance(command, Cancel):
            with self._lock:
                self._abort.clear()
            if self._engine is not None:
                self._engine.scheduler.cancel(command.id)
        elif isinstance(command, SetThreads):
            if self._engine is not None:
                self._engine.set_threads(command.threads)
            self._wire.send(ThreadsSet(command.threads))
        elif isinstance(command, Count):
            maker = self._loaded().maker
            tokens = maker.count(command.messages, command.options)
            self._wire.send(Counted(command.id, tokens, self._loaded().context.n_ctx))
        elif isinstance(command, Load):
            self._load(command)
        elif isinstance(command, Quantize):
            self._quantize(command)
        else:
            from playground.engines.llama import devices

            self._wire.send(devices.describe(command.rpc))

    def _progress(self, fraction: float) -> None:
        now = time.perf_counter()
        if fraction >= 1 or now - self._last_progress >= _PROGRESS_S:
            self._last_progress = now
            self._wire.send(Progress(min(max(fraction, 0.0), 1.0)))

    def _loaded(self) -> Engine:
        if self._engine is None:
            raise EngineError(ErrorKind.PROTOCOL, "No model is loaded.")
        return self._engine

    def _load(self, command: Load) -> None:
        from playground.engines.llama import devices
        from playground.engines.llama.engine import Callbacks, Engine  # jinja2 comes with it
        from playground.engines.llama.model import LoadCancelledError

        placement = command.placement
        if placement is not None:
            devices.add_rpc(protocol.rpc_endpoints(placement.devices))
        callbacks = Callbacks(self._on_read, self._on_done, self._fail)
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        try:
            self._engine = Engine(
                *(Path(command.path), command.options, placement, command.threads),
                *(self._abort, callbacks, self._progress),
            )
        except LoadCancelledError:
            raise EngineError(ErrorKind.STOPPED, "Loading was stopped.") from None
        gc.collect()
        gc.freeze()  # what is there now stays: a full collection would cost a millisecond now and then
        self._wire.send(self._engine.loaded())

    def _generate(self, command: Generate, received: float) -> None:
        def text(sample: int) -> Callable[[str, str, int, float], None]:
            batch = self._texts[command.id, sample] = TextBatch(self._wire, command.id, sample)
            return batch.add

        self._prefixes[command.id] = self._loaded().begin(command, received, text)

    def _on_read(self, job: Job, done: int) -> None:
        if job.sample == 0:
            self._wire.send(PromptProgress(job.request, done, len(job.prompt.tokens)))

    def _on_done(self, job: Job) -> None:
        engine = self._loaded()
        timings = job.timings(engine.scheduler.totals)
        self._texts.pop((job.request, job.sample)).flush(job.written, timings.decode_s)
        prefix = self._prefixes[job.request]
        if not any(request == job.request for request, _ in self._texts):
            del self._prefixes[job.request]
        self._wire.send(
            Finished(
                *(job.request, job.stop or "end", job.usage(), timings, engine.memory(), prefix),
                *(tuple(job.warnings), job.sample),
                draft=job.draft if job.draft.drafted else None,
                sampling_order=job.sampling_order,
            )
        )

    def _quantize(self, command: Quantize) -> None:
        from playground.engines.llama.quantize import quantize

        source, target = Path(command.source), Path(command.target)
        self._wire.send(quantize(source, target, command.quant, command.threads, self._progress))


def _unexpected(error: Exception) -> EngineError:
    import traceback

    detail = "".join(traceback.format_exception(error))[-2000:]
    if death.is_memory(repr(error)):
        return EngineError(
            ErrorKind.OUT_OF_MEMORY,
            "The engine ran out of memory.",
            hint="Choose a smaller context or model, or close other models.",
            detail=detail,
        )
    return EngineError(
        ErrorKind.INTERNAL,
        "The engine failed in an unexpected way.",
        hint="Try again; the log holds the details.",
        detail=detail,
    )


class _Request(msgspec.Struct):
    """What is needed to answer a command that cannot be read."""

    id: int = 0


def _misunderstood(line: bytes, error: msgspec.MsgspecError) -> Failed:
    """Return the answer to what is no command; the request that it belongs to must not wait for ever."""
    request = 0
    with contextlib.suppress(msgspec.MsgspecError, RecursionError):
        request = msgspec.json.decode(line, type=_Request).id
    reason = one_line(str(error), 200)
    return Failed(
        str(ErrorKind.PROTOCOL),
        f"The engine was sent what it does not understand: {reason}.",
        hint="Look at the lane's settings: one of them is out of its range.",
        id=request,
    )


def _id(command: Command) -> int:
    return command.id if isinstance(command, (Generate, Count)) else 0


def _deepen_stack() -> None:
    """Give the main thread the largest stack: llama.cpp cuts and reads texts by functions that call themselves.

    A run of 100,000 letters overflows the usual 8 MB in models whose pre-tokenizer is a ``std::regex``. Linux lets
    the main thread's stack grow up to the limit of the moment; elsewhere it is fixed.
    """
    if sys.platform.startswith("linux"):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_STACK)
        wanted = STACK_BYTES if hard == resource.RLIM_INFINITY else min(STACK_BYTES, hard)
        resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))


def main() -> int:
    """Run a worker until stdin closes."""
    _deepen_stack()
    wire = Wire()
    wire.send(Hello(protocol.VERSION, os.getpid()))
    try:
        from playground.engines.llama import library

        library.start()
        worker = Worker(wire)
    except EngineError as error:
        wire.send(Failed(str(error.kind), error.message, error.hint, error.detail))
        sys.stdin.read()
        return 1
    worker.run()
    return 0
