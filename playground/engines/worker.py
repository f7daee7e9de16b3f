"""The worker process: one model, driven by lines on stdin, answering on a private copy of stdout.

Started as ``python -m playground engine-worker``. It must own a duplicate of descriptor 1 and point descriptor 1
at stderr *before* llama.cpp is mapped, since native code writes to 1 and redirects it while it loads. It ends
when stdin closes, so it never outlives the app.

Two threads beside the main one: the reader, which makes a cancel take effect at once, and the heartbeat.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from playground.engines import protocol
from playground.engines.protocol import (
    Cancel,
    Chunk,
    Command,
    Describe,
    Event,
    Failed,
    Finished,
    Generate,
    Heartbeat,
    Hello,
    Load,
    Loaded,
    LoadedModel,
    Progress,
    PromptProgress,
    Quantize,
    SetThreads,
    ThreadsSet,
)
from playground.errors import EngineError, ErrorKind

if TYPE_CHECKING:
    from playground.engines.llama.answer import Writer
    from playground.engines.llama.model import Model
    from playground.engines.llama.prompt import PromptMaker

HEARTBEAT_S = 1.0
BATCH_S = 0.02  # text is sent at most every 20 ms
_PROGRESS_S = 0.05


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


class Batch:
    """Collects text of an answer and sends it in batches, the first piece at once."""

    def __init__(self, wire: Wire, request_id: int) -> None:
        self._wire = wire
        self._id = request_id
        self._answer: list[str] = []
        self._reasoning: list[str] = []
        self._sent = 0.0

    def add(self, answer: str, reasoning: str, tokens: int, decode_s: float) -> None:
        """Take text; send it when the last batch is 20 ms old."""
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
            self._wire.send(Chunk(self._id, answer, reasoning, tokens, decode_s))


class Worker:
    """Carries out commands one after another on the main thread."""

    def __init__(self, wire: Wire) -> None:
        from playground.engines.llama.cache import AbortFlag

        self._wire = wire
        self._abort = AbortFlag()
        self._commands: queue.Queue[tuple[Command, float]] = queue.Queue()
        self._wanted_threads = 0
        self._threads = 0
        self._answering = False
        self._state = threading.Lock()
        self._model: Model | None = None
        self._maker: PromptMaker | None = None
        self._writer: Writer | None = None

    def run(self) -> None:
        """Serve until stdin closes."""
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        while True:
            command, received = self._commands.get()
            try:
                self._carry_out(command, received)
            except EngineError as error:
                self._fail(error)
            except MemoryError:
                self._fail(EngineError(ErrorKind.OUT_OF_MEMORY, "The engine ran out of memory."))
            except Exception as error:  # noqa: BLE001 -- the last line of defence of a process boundary
                self._fail(
                    EngineError(
                        ErrorKind.INTERNAL,
                        "The engine failed in an unexpected way.",
                        hint="Try again; the log holds the details.",
                        detail=f"{type(error).__name__}: {error}",
                    )
                )

    def _read(self) -> None:
        with os.fdopen(0, "rb", buffering=1 << 16) as stdin:
            for line in stdin:
                try:
                    command = protocol.command_decoder.decode(line)
                except msgspec.MsgspecError as error:
                    self._wire.send(
                        Failed(
                            ErrorKind.PROTOCOL, "The engine was sent an unknown command.", detail=str(error)
                        )
                    )
                    continue
                self._receive(command)
        os._exit(0)

    def _receive(self, command: Command) -> None:
        if isinstance(command, Cancel):
            self._abort.set()
            return
        with self._state:
            if isinstance(command, SetThreads) and self._answering:
                self._wanted_threads = command.threads
                return
            self._answering = self._answering or isinstance(command, Generate)
        if isinstance(command, (Load, Generate, Quantize)):
            self._abort.clear()
        self._commands.put((command, time.perf_counter()))

    def _beat(self) -> None:
        while True:
            time.sleep(HEARTBEAT_S)
            self._wire.send(Heartbeat())

    def _fail(self, error: EngineError) -> None:
        self._end_answer()
        self._wire.send(Failed(str(error.kind), error.message, error.hint, error.detail))

    def _carry_out(self, command: Command, received: float) -> None:
        if isinstance(command, Load):
            self._load(command)
        elif isinstance(command, Generate):
            self._generate(command, received)
        elif isinstance(command, Quantize):
            self._quantize(command)
        elif isinstance(command, SetThreads):
            self._set_threads(command.threads)
            self._wire.send(ThreadsSet(command.threads))
        elif isinstance(command, Describe):
            from playground.engines.llama import library

            self._wire.send(library.describe())

    def _progress(self, fraction: float) -> None:
        now = time.perf_counter()
        if fraction >= 1 or now - self._last_progress >= _PROGRESS_S:
            self._last_progress = now
            self._wire.send(Progress(min(max(fraction, 0.0), 1.0)))

    _last_progress = 0.0

    def _load(self, command: Load) -> None:
        from playground.engines.llama import accounting
        from playground.engines.llama.answer import Writer
        from playground.engines.llama.model import LoadCancelledError, Model
        from playground.engines.llama.prompt import PromptMaker

        path = Path(command.path)
        try:
            model = Model(
                path,
                command.options,
                command.threads,
                on_progress=self._progress,
                is_cancelled=self._abort.is_set,
            )
        except LoadCancelledError:
            raise EngineError(ErrorKind.STOPPED, "Loading was stopped.") from None
        self._model, self._threads = model, command.threads
        self._maker = PromptMaker(model)
        self._writer = Writer(model, self._maker.tokenizer, self._abort, self._before_token)
        loaded = LoadedModel(
            n_ctx=model.n_ctx,
            n_ctx_train=model.n_ctx_train,
            n_layers=model.n_layers,
            gpu_layers=min(max(model.gpu_layers, 0), model.n_layers + 1),
            is_base=self._maker.is_base,
            thinks=self._maker.thinks,
            description=model.description(),
        )
        memory = accounting.memory_use(model.buffers)
        self._wire.send(Loaded(loaded, memory, model.load_s, self._maker.warnings))

    def _generate(self, command: Generate, received: float) -> None:
        from playground.engines.llama import accounting

        if self._model is None or self._maker is None or self._writer is None:
            raise EngineError(ErrorKind.PROTOCOL, "No model is loaded.")
        self._set_threads(command.threads)
        prompt = self._maker.make(command.messages, command.options)
        batch = Batch(self._wire, command.id)
        if prompt.prefix:
            batch.add(prompt.prefix, "", 0, 0.0)
        answer = self._writer.write(
            prompt,
            command.options,
            received,
            lambda done, total: self._wire.send(PromptProgress(command.id, done, total)),
            batch.add,
        )
        batch.flush(answer.usage.completion_tokens, answer.timings.decode_s)
        self._end_answer()
        memory = accounting.memory_use(self._model.buffers)
        self._wire.send(
            Finished(command.id, answer.stop, answer.usage, answer.timings, memory, prompt.prefix)
        )

    def _quantize(self, command: Quantize) -> None:
        from playground.engines.llama.quantize import quantize

        source, target = Path(command.source), Path(command.target)
        self._wire.send(quantize(source, target, command.quant, command.threads, self._progress))

    def _end_answer(self) -> None:
        with self._state:
            self._answering = False
        self._before_token()

    def _before_token(self) -> None:
        wanted, self._wanted_threads = self._wanted_threads, 0
        if wanted:
            self._set_threads(wanted)
            self._wire.send(ThreadsSet(wanted))

    def _set_threads(self, threads: int) -> None:
        if self._model is not None and threads != self._threads:
            from playground.engines.llama.library import L

            L.llama_set_n_threads(self._model.native, threads, threads)
        self._threads = threads


def main() -> int:
    """Run a worker until stdin closes."""
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
