"""One loaded model, ready to answer: weights, context, prompts, drafts and the scheduler of its answers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from playground.chat.options import MTP, AnswerOptions, LoadOptions
from playground.engines.llama import accounting, sampler
from playground.engines.llama.abort import AbortFlag
from playground.engines.llama.context import Context
from playground.engines.llama.drafting import Drafter, ModelDrafter, refuse_other_vocabulary
from playground.engines.llama.job import Clock, Job, OnText
from playground.engines.llama.library import log
from playground.engines.llama.model import LoadCancelledError, Model, OnProgress
from playground.engines.llama.prompt import PromptMaker
from playground.engines.llama.scheduler import OnDone, OnFailed, OnRead, Scheduler
from playground.engines.protocol import Generate, Loaded, LoadedModel, MemoryUse, Placement
from playground.errors import EngineError, ErrorKind

DEFAULT_CONTEXT_TOKENS = 8192


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Where an engine's news goes."""

    on_read: OnRead
    on_done: OnDone
    on_failed: OnFailed


class Engine:
    """Raises EngineError when the model cannot be loaded, LoadCancelledError when that was stopped."""

    def __init__(
        self,
        path: Path,
        options: LoadOptions,
        placement: Placement | None,
        threads: int,
        abort: AbortFlag,
        callbacks: Callbacks,
        on_progress: OnProgress,
    ) -> None:
        started = time.perf_counter()
        log.clear()
        self._options, self._threads = options, threads
        self._on_progress, self._abort = on_progress, abort
        self._native = contextlib.ExitStack()  # given back when a later part fails: another try may follow
        try:
            self._make(path, placement, callbacks)
        except BaseException:
            self._native.close()
            raise
        self._load_s = time.perf_counter() - started

    def _make(self, path: Path, placement: Placement | None, callbacks: Callbacks) -> None:
        options, abort = self._options, self._abort
        kv_type = "f16" if options.kv_type == "auto" else options.kv_type
        wanted = placement or Placement(n_ctx=0, kv_type=kv_type)  # without one, the CPU alone
        self.model = self._model(path, wanted, share=0.9)
        self.model.refuse_what_cannot_answer()
        self.placement = self._placement(wanted)
        self.context = Context(
            *(self.model, options, self.placement, self._threads),
            outputs_per_sequence=1 + self._drafts_at_once(),
            rollback_tokens=self._drafts_at_once(),
        )
        self._native.callback(self.context.close)
        self._drafter = self._make_drafter()
        self.maker = PromptMaker(self.model, self.context.n_ctx, options.template)
        self._buffers = accounting.from_log(log.sizes)
        self._raise_when_cancelled()
        self.scheduler = Scheduler(
            self.context,
            abort,
            self._drafter,
            keep=1 if self.maker.tokenizer.adds_bos else 0,
            on_read=callbacks.on_read,
            on_done=callbacks.on_done,
            on_failed=callbacks.on_failed,
        )

    def close(self) -> None:
        """Give all memory back. Nothing else may be called afterwards."""
        self._native.close()

    def loaded(self) -> Loaded:
        """Return what the model turned out to be."""
        model = self.model
        found = LoadedModel(
            n_ctx=self.context.n_ctx,
            n_ctx_train=model.n_ctx_train,
            n_layers=model.n_layers,
            gpu_layers=self._gpu_layers(),
            is_base=self.maker.is_base,
            thinks=self.maker.thinks,
            description=model.description(),
            placement=self.placement,
            sequences=self.context.sequences,
            n_vocab=model.n_vocab,
            mtp_layers=model.mtp_layers,
            draft=self._options.draft
            and (MTP if self._options.draft == MTP else Path(self._options.draft).name),
        )
        return Loaded(found, self.memory(), self._load_s, self.maker.warnings)

    def memory(self) -> MemoryUse:
        """Return what the model holds now."""
        return accounting.memory_use(self._buffers)

    def begin(self, command: Generate, asked: float, on_text: Callable[[int], OnText]) -> str:
        """Queue the answers of a request and return what the app writes in front of each. Raises EngineError.

        ``on_text`` gives the receiver of a sample's text; ``asked`` is in ``time.perf_counter`` seconds.
        """
        self.set_threads(command.threads)
        prompt = self.maker.make(command.messages, command.options)
        jobs: list[Job] = []
        for sample in range(command.options.n):
            drawer = self._sampler(command.options, sample)
            text, clock = on_text(sample), Clock(asked)
            jobs.append(
                Job(command.id, sample, prompt, command.options, drawer, self.maker.tokenizer, clock, text)
            )
            if prompt.prefix:
                text(prompt.prefix, "", 0, 0.0)
        self.scheduler.add(jobs)
        return prompt.prefix

    def set_threads(self, threads: int) -> None:
        """Use this many threads from the next evaluation on."""
        if threads != self._threads:
            self._threads = threads
            self.context.set_threads(threads)
            if self._drafter is not None:
                self._drafter.set_threads(threads)

    def _gpu_layers(self) -> int:
        """Return how many layers are on devices, without those that predict further tokens."""
        placed, model = self.placement.gpu_layers, self.model
        own = placed if placed <= 1 else max(1, placed - model.mtp_layers)
        return min(own, model.n_layers + 1)

    def _sampler(self, options: AnswerOptions, sample: int) -> sampler.Sampler:
        seed = options.sampling.seed + sample
        return sampler.Sampler(self.model, self.maker.tokenizer, options.sampling, seed)

    def _model(self, path: Path, placement: Placement, share: float, base: float = 0.0) -> Model:
        found = Model(
            path,
            self._options,
            placement,
            load_mtp=self._options.draft == MTP,
            on_progress=lambda fraction: self._on_progress(base + share * fraction),
            is_cancelled=self._abort.is_set,
        )
        self._native.callback(found.close)
        self._raise_when_cancelled()
        return found

    def _placement(self, wanted: Placement) -> Placement:
        own = min(self.model.n_ctx_train or DEFAULT_CONTEXT_TOKENS, DEFAULT_CONTEXT_TOKENS)
        return msgspec.structs.replace(wanted, n_ctx=wanted.n_ctx or self._options.n_ctx or own)

    def _draft_context(self, model: Model) -> Context:
        """Return the context of a draft model, with one more sequence to write drafts in when it is recurrent."""
        sequences = self._options.sequences + model.is_recurrent
        options = msgspec.structs.replace(self._options, sequences=sequences)
        found = Context(model, options, self.placement, self._threads)
        self._native.callback(found.close)
        return found

    def _drafts_at_once(self) -> int:
        return self._options.draft_tokens if self._options.draft else 0

    def _make_drafter(self) -> Drafter | None:
        draft, most = self._options.draft, self._options.draft_tokens
        if not draft:
            return None
        if draft != MTP:
            model = self._model(Path(draft), self.placement, share=0.1, base=0.9)
            refuse_other_vocabulary(self.model, model)
            return ModelDrafter(self._draft_context(model), most, self.model.n_vocab, self._abort)
        from playground.engines.llama.mtp import MtpDrafter

        if not self.model.mtp_layers:
            raise EngineError(
                ErrorKind.LOAD_FAILED,
                f"{self.model.path.name} has no layers that predict several tokens.",
                hint="Switch drafting off, or choose a smaller model of the family as the draft.",
            )
        own = Context(self.model, self._options, self.placement, self._threads, mtp_of=self.context)
        self._native.callback(own.close)
        return MtpDrafter(self.context, own, most)

    def _raise_when_cancelled(self) -> None:
        if self._abort.is_set():
            raise LoadCancelledError
