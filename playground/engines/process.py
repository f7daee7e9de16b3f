"""The app's side of one worker process: start, ask, listen, stop. Used by both front ends on asyncio.

Owns the requests, what answers them, and the translation of a death into an EngineError. Must not know lanes or Qt.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from playground.chat.messages import Message
from playground.chat.options import AnswerOptions, LoadOptions
from playground.engines import death, protocol
from playground.engines.child import ENDS, GRACE_S, Child, worker_command, worker_environment
from playground.engines.patience import PROGRESS_S, STALL_S, Patience
from playground.engines.protocol import Chunk, Event, Finished, Progress, PromptProgress
from playground.errors import EngineError, ErrorKind

_QUEUE_EVENTS = 256
_ANSWER_SLACK = 20_000
_CHARACTERS_PER_TOKEN = 512


class EngineProcess:
    """One worker process. Answers may be asked for while others are under way, everything else one at a time.

    Every request raises EngineError when the worker reports a failure, dies, stalls or breaks the protocol.
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        stall_s: float = STALL_S,
        progress_s: float = PROGRESS_S,
    ) -> None:
        self._child = Child(
            command or worker_command(), environment or worker_environment(), protocol.LINE_LIMIT_BYTES
        )
        self._patience = Patience(stall_s, progress_s)
        self._inboxes: dict[int, asyncio.Queue[Event | EngineError]] = {0: asyncio.Queue(_QUEUE_EVENTS)}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next_id = 0
        self._busy = asyncio.Lock()
        self._work: object = None  # what holds the lock
        self._threads_set: list[asyncio.Future[None]] = []
        self._ended_by_us: EngineError | None = None
        self._over: EngineError | None = None  # why no further event can come
        self._what = "the engine"
        self.loaded: protocol.Loaded | None = None
        self.estimated_bytes = 0  # what the model was reckoned to need, where whoever loaded it says so

    @property
    def is_alive(self) -> bool:
        """Return whether the process runs."""
        return self._child.is_running and self._ended_by_us is None

    @property
    def pid(self) -> int | None:
        """Return the process id, None before the start."""
        return self._child.pid

    async def start(self) -> None:
        """Start the process and wait for its greeting. Raises EngineError."""
        await self._child.start()
        self._patience.renew()
        self._keep(self._listen())
        if self._ended_by_us is not None:  # stopped while it was being started
            await self.kill(self._ended_by_us)
            raise self._ended_by_us
        async with self._alone():
            hello = await self._next()
        if not isinstance(hello, protocol.Hello) or hello.protocol != protocol.VERSION:
            raise await self._break_off("greeted with something else")

    async def restart(self) -> None:
        """Start a process in place of one that has died. Raises EngineError."""
        await self.kill()
        self._ended_by_us = self._over = self.loaded = None
        self._inboxes[0] = asyncio.Queue(_QUEUE_EVENTS)
        self._child = self._child.successor()
        await self.start()

    async def load(
        self,
        path: Path,
        options: LoadOptions,
        threads: int,
        on_progress: Callable[[float], None],
        placement: protocol.Placement | None = None,
    ) -> protocol.Loaded:
        """Load a model; ``on_progress`` gets fractions. Raises EngineError."""
        self._what = path.name
        async with self._alone():
            await self._send(protocol.Load(str(path), options, threads, placement))
            while not isinstance(event := await self._next(), protocol.Loaded):
                if not isinstance(event, Progress):
                    raise await self._break_off("answered a load with something else")
                on_progress(event.fraction)
        self.loaded = event
        return event

    async def generate(
        self,
        messages: Sequence[Message],
        options: AnswerOptions,
        threads: int,
        on_event: Callable[[PromptProgress | Chunk], None],
    ) -> Finished:
        """Answer a conversation once; ``on_event`` gets progress and text. Raises EngineError.

        A caller that is cancelled leaves the worker usable: the answer is cancelled there, too.
        """
        single = options if options.n == 1 else msgspec.structs.replace(options, n=1)
        return (await self.generate_all(messages, single, threads, on_event))[0]

    async def generate_all(
        self,
        messages: Sequence[Message],
        options: AnswerOptions,
        threads: int,
        on_event: Callable[[PromptProgress | Chunk], None],
    ) -> tuple[Finished, ...]:
        """Answer a conversation ``options.n`` times, from one reading of the prompt; events say which ``sample``.

        Several calls may be under way at once: the worker answers as many as the model has sequences together.
        Raises EngineError.
        """
        finished: dict[int, Finished] = {}
        with self._inbox() as request:
            try:
                await self._send(protocol.Generate(request, tuple(messages), options, threads))
                await self._answers(request, options, on_event, finished)
            except asyncio.CancelledError:
                await self._abandon(request, options.n - len(finished))
                raise
            except EngineError:
                raise
            except Exception:  # the listener's own: nobody waits for the rest
                self._child.write(protocol.encode(protocol.Cancel(request)))
                raise
        return tuple(finished[sample] for sample in sorted(finished))

    async def count_tokens(self, messages: Sequence[Message], options: AnswerOptions) -> protocol.Counted:
        """Return how many tokens a conversation's prompt has, and the context. Raises EngineError."""
        with self._inbox() as request:
            await self._send(protocol.Count(request, tuple(messages), options))
            event = await self._next(request)
        if not isinstance(event, protocol.Counted):
            raise await self._break_off("answered a question about tokens with something else")
        return event

    async def quantize(
        self, source: Path, target: Path, quant: str, threads: int, on_progress: Callable[[float], None]
    ) -> protocol.Quantized:
        """Write a smaller copy. Raises EngineError; to cancel, ``kill`` the process."""
        self._what = source.name
        async with self._alone():
            await self._send(protocol.Quantize(str(source), str(target), quant, threads))
            while not isinstance(event := await self._next(), protocol.Quantized):
                if not isinstance(event, Progress):
                    raise await self._break_off("answered a quantization with something else")
                on_progress(event.fraction)
        return event

    async def describe(self, rpc: tuple[str, ...] = ()) -> protocol.Description:
        """Return what the native build offers, with the devices of RPC servers (``host:port``). Raises EngineError."""
        async with self._alone():
            await self._send(protocol.Describe(rpc))
            event = await self._next()
        if not isinstance(event, protocol.Description):
            raise await self._break_off("answered a question about devices with something else")
        return event

    async def set_threads(self, threads: int) -> None:
        """Change the number of threads and return once it is in force, or the process is gone."""
        if not self.is_alive:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._threads_set.append(done)
        with contextlib.suppress(EngineError):
            await self._send(protocol.SetThreads(threads))
            await done

    def cancel(self) -> None:
        """Stop all answers under way; ``generate`` returns them as cancelled. A worker that does not is ended."""
        under_way = self._under_way()
        if self.is_alive and (under_way or self._work):
            self._child.write(protocol.encode(protocol.Cancel()))
            self._keep(self._enforce(under_way, self._work))

    async def kill(self, reason: EngineError | None = None) -> None:
        """End the process at once. A request under way fails with ``reason``."""
        self._ended_by_us = reason or EngineError(ErrorKind.STOPPED, f"{self._what}: stopped.")
        await self._child.end(at_once=True)
        await self._end_tasks()

    async def close(self) -> None:
        """End the process in order: close its stdin, wait, terminate, kill. Gives all its memory back."""
        self._ended_by_us = self._ended_by_us or EngineError(ErrorKind.STOPPED, f"{self._what}: unloaded.")
        await self._child.end(at_once=False)
        await self._end_tasks()

    async def _answers(
        self,
        request: int,
        options: AnswerOptions,
        on_event: Callable[[PromptProgress | Chunk], None],
        finished: dict[int, Finished],
    ) -> None:
        events = characters = 0
        tokens = options.max_tokens * options.n
        while len(finished) < options.n:
            event = await self._next(request)
            if isinstance(event, Finished):
                finished[event.sample] = event
                continue
            if not isinstance(event, (PromptProgress, Chunk)):
                raise await self._break_off("answered a prompt with something else")
            events += 1
            if isinstance(event, Chunk):
                characters += len(event.text) + len(event.reasoning)
            too_long = characters > (1 << 20) + _CHARACTERS_PER_TOKEN * tokens
            if too_long or events > _ANSWER_SLACK + 4 * tokens:
                raise await self._break_off("sent more than was asked for")
            on_event(event)

    async def _abandon(self, request: int, answers: int) -> None:
        """Cancel a request for a caller that has gone; drain what still comes, or end the process."""
        self._child.write(protocol.encode(protocol.Cancel(request)))
        try:
            async with asyncio.timeout(GRACE_S):
                while answers:
                    answers -= isinstance(await self._next(request), Finished)
        except TimeoutError:
            await self.kill()
        except EngineError:
            pass  # the request had failed already, or the process has ended: nothing more comes

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Let one thing that is no answer be done at a time."""
        async with self._busy:
            self._work = object()
            try:
                yield
            finally:
                self._work = None

    async def _enforce(self, under_way: frozenset[int], work: object) -> None:
        for number in ENDS:
            await asyncio.sleep(GRACE_S)
            goes_on = under_way & self._under_way() or (work is not None and self._work is work)
            if not goes_on:
                return
            self._ended_by_us = EngineError(
                ErrorKind.STOPPED,
                f"{self._what} did not stop in time and was ended.",
                hint="It is loaded again with the next prompt.",
            )
            self._child.signal(number)

    def _under_way(self) -> frozenset[int]:
        return frozenset(self._inboxes) - {0}

    @contextlib.contextmanager
    def _inbox(self) -> Iterator[int]:
        """Open a request: what the worker says with its id comes here."""
        self._next_id += 1
        request = self._next_id
        self._inboxes[request] = asyncio.Queue(_QUEUE_EVENTS)
        try:
            yield request
        finally:
            inbox = self._inboxes.pop(request)
            while not inbox.empty():  # the reader may be waiting for room in it
                inbox.get_nowait()

    async def _next(self, request: int = 0) -> Event:
        """Return the next event that answers a request. Raises EngineError for every kind of failure."""
        inbox = self._inboxes[request]
        while True:
            if inbox.empty() and self._over is not None:
                raise self._over
            try:
                async with asyncio.timeout(max(self._patience.stall_s / 4, 0.05)):
                    event = await inbox.get()
            except TimeoutError:
                error = self._patience.over(self._what)
                if error is not None and inbox.empty():
                    await self.kill(error)
                    raise error from None
                continue
            if isinstance(event, EngineError):
                raise event
            if isinstance(event, protocol.Failed):
                raise death.reported(event)
            return event

    async def _deliver(self, event: Event) -> None:
        """Put an event into its request's inbox. The reader waits while that is full."""
        request = getattr(event, "id", 0)
        if request == 0 and not self._busy.locked():  # kept for whoever asks next, as far as there is room
            with contextlib.suppress(asyncio.QueueFull):
                self._inboxes[0].put_nowait(event)
        elif request in self._inboxes:
            await self._inboxes[request].put(event)
        elif not 0 < request <= self._next_id:  # what comes late for a request that has gone is dropped
            raise msgspec.ValidationError(f"an answer to the unknown request {request}")

    def _end_with(self, error: EngineError) -> None:
        """Let every request fail with this, those to come too."""
        self._over = self._over or error
        for inbox in self._inboxes.values():
            with contextlib.suppress(asyncio.QueueFull):
                inbox.put_nowait(self._over)

    async def _send(self, command: protocol.Command) -> None:
        self._patience.begin()
        try:
            self._child.write(protocol.encode(command))
        except UnicodeEncodeError as error:
            is_prompt = isinstance(command, (protocol.Generate, protocol.Count))
            raise death.not_text(self._what, is_prompt=is_prompt) from error
        await self._child.drain()

    async def _listen(self) -> None:
        while True:
            try:
                line = await self._child.read_line()
            except ValueError:  # longer than the limit
                error = self._protocol_error("sent a line that is too long")
                break
            if not line.endswith(b"\n"):  # nothing, or what a dying process could still say
                error = await self._end_of_stream()
                break
            self._patience.hear()
            try:
                event = protocol.event_decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                error = self._protocol_error("sent something that is not the protocol")
                break
            if isinstance(event, protocol.Heartbeat):
                continue
            self._patience.begin()
            if isinstance(event, protocol.ThreadsSet):
                self._wake_thread_setters()
                continue
            try:
                await self._deliver(event)
            except msgspec.ValidationError:
                error = self._protocol_error("answered something that nobody asked")
                break
        self._wake_thread_setters()
        if self._child.is_running and error.kind is ErrorKind.PROTOCOL:
            self._ended_by_us = error
            self._child.kill()
        self._end_with(error)

    async def _end_of_stream(self) -> EngineError:
        status, is_killed = await self._child.exit_status()
        if is_killed:
            self._ended_by_us = self._ended_by_us or self._protocol_error("closed its output")
        return self._ended_by_us or death.died(self._what, status, self._child.stderr_tail)

    def _protocol_error(self, what: str) -> EngineError:
        return death.broke_protocol(self._what, what, self._child.stderr_tail)

    async def _break_off(self, what: str) -> EngineError:
        error = self._protocol_error(what)
        await self.kill(error)
        return error

    def _wake_thread_setters(self) -> None:
        for future in self._threads_set:
            if not future.done():
                future.set_result(None)
        self._threads_set.clear()

    def _keep(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _end_tasks(self) -> None:
        self._wake_thread_setters()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        self._tasks = set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._ended_by_us is not None:
            self._end_with(self._ended_by_us)
