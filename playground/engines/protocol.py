"""What the app and an engine process say to each other: newline-delimited JSON of tagged, frozen types.

Owns the message types, their encoding and the size limit of a line. Must not know processes or models.
Times are seconds, sizes bytes, fractions 0..1.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from playground.chat.messages import Message
from playground.chat.options import AnswerOptions, LoadOptions

VERSION = 2
LINE_LIMIT_BYTES = 64 << 20  # a prompt may be megabytes of code; anything longer is not the protocol

StopReason = Literal["end", "length", "stop", "context", "cancelled", "error"]


class _Tagged(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    """Base of all messages."""


# ---- app -> worker


class Placement(msgspec.Struct, frozen=True):
    """Where the parts of a model go, in numbers: what ``auto`` in the options came to.

    ``devices``: names to offload to, in order. ``gpu_layers``: how many of the last layers go there, the output layer
    counted as one more. ``tensor_split``: layers of each device. ``cpu_expert_layers``: layers, from the first on,
    whose expert tensors stay on the CPU.
    """

    n_ctx: int
    kv_type: str = "f16"
    gpu_layers: int = 0
    devices: tuple[str, ...] = ()
    tensor_split: tuple[float, ...] = ()
    cpu_expert_layers: int = 0


class Load(_Tagged, frozen=True):
    """Load a model. Answered by Progress..., then Loaded or Failed.

    Without a placement everything stays on the CPU and the context is the options' own.
    """

    path: str
    options: LoadOptions
    threads: int
    placement: Placement | None = None


class Generate(_Tagged, frozen=True):
    """Answer a conversation ``options.n`` times.

    Answered by PromptProgress..., Chunk..., then Finished for each answer, or Failed once. More may be sent while others are under way: as many as the model has sequences are answered at once, the rest wait.
    """

    id: int
    messages: tuple[Message, ...]
    options: AnswerOptions
    threads: int


class Count(_Tagged, frozen=True):
    """Say how many tokens a conversation's prompt has. Answered by Counted or Failed."""

    id: int
    messages: tuple[Message, ...]
    options: AnswerOptions


class Cancel(_Tagged, frozen=True):
    """Stop a request, or with id 0 whatever is under way, at once. It is still answered, by Finished or Failed."""

    id: int = 0


class SetThreads(_Tagged, frozen=True):
    """Use this many threads from the next token on. Answered by ThreadsSet."""

    threads: int


class Quantize(_Tagged, frozen=True):
    """Write a smaller copy of a model. Answered by Progress..., then Quantized or Failed."""

    source: str
    target: str
    quant: str
    threads: int


class Describe(_Tagged, frozen=True):
    """Say what this build and machine offer, RPC servers (``host:port``) included. Answered by Description."""

    rpc: tuple[str, ...] = ()


Command = Load | Generate | Count | Cancel | SetThreads | Quantize | Describe


# ---- worker -> app


class Hello(_Tagged, frozen=True):
    """The first line of a worker."""

    protocol: int
    pid: int


class Heartbeat(_Tagged, frozen=True):
    """The process is alive and scheduled, though native code may keep it busy."""


class Progress(_Tagged, frozen=True):
    """How far loading or quantizing has come."""

    fraction: float


class DeviceUse(msgspec.Struct, frozen=True):
    """Bytes that a model holds on one device, from llama.cpp's own accounting. ``device``: as llama.cpp names it."""

    device: str
    weights_bytes: int = 0
    kv_bytes: int = 0
    compute_bytes: int = 0


class MemoryUse(msgspec.Struct, frozen=True):
    """Bytes, from llama.cpp's own accounting (weights, kv, compute) and the operating system (resident, peak)."""

    weights_bytes: int = 0
    kv_bytes: int = 0
    compute_bytes: int = 0
    resident_bytes: int = 0
    peak_bytes: int = 0
    devices: tuple[DeviceUse, ...] = ()

    @property
    def held_bytes(self) -> int:
        """Return all that the model holds now: the process's own memory, and what lies on other devices."""
        remote = (use for use in self.devices if use.device != "CPU")
        return self.resident_bytes + sum(u.weights_bytes + u.kv_bytes + u.compute_bytes for u in remote)


class LoadedModel(msgspec.Struct, frozen=True):
    """What a loaded model turned out to be."""

    n_ctx: int
    n_ctx_train: int
    n_layers: int
    gpu_layers: int
    is_base: bool
    thinks: bool  # the template knows ``enable_thinking``, or the model writes its reasoning apart
    description: str
    placement: Placement | None = None
    sequences: int = 1
    n_vocab: int = 0
    mtp_layers: int = 0
    draft: str = ""  # what drafts: the name of a model, ``mtp``, or nothing


class Loaded(_Tagged, frozen=True):
    """The model is ready to answer."""

    model: LoadedModel
    memory: MemoryUse
    load_s: float
    warnings: tuple[str, ...] = ()


class ThreadsSet(_Tagged, frozen=True):
    """The new number of threads is in force."""

    threads: int


class Counted(_Tagged, frozen=True):
    """Tokens of a prompt, and how many the context holds."""

    id: int
    tokens: int
    n_ctx: int


class PromptProgress(_Tagged, frozen=True):
    """Tokens of the prompt read so far, those taken from the cache included."""

    id: int
    done: int
    total: int


class Chunk(_Tagged, frozen=True):
    """New text, whole characters only; ``tokens`` counts all tokens generated so far."""

    id: int
    text: str
    reasoning: str
    tokens: int
    decode_s: float  # since the first token
    sample: int = 0


class Usage(msgspec.Struct, frozen=True):
    """Tokens. ``prompt_tokens`` includes ``cached_tokens``, which were not evaluated again."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


class Timings(msgspec.Struct, frozen=True):
    """Where the time went. ``first_token_s`` counts from the request; speeds are None without a measurement.

    ``prompt_tokens_per_s`` = evaluated prompt tokens / ``prompt_s``; ``decode_tokens_per_s`` = tokens after the
    first / ``decode_s``, the time from the first token to the last. ``total_tokens_per_s`` counts the tokens of all
    answers that were under way in the same model in that time.
    """

    load_s: float = 0.0
    prompt_s: float = 0.0
    first_token_s: float | None = None
    decode_s: float = 0.0
    prompt_tokens_per_s: float | None = None
    decode_tokens_per_s: float | None = None
    total_tokens_per_s: float | None = None


class DraftUse(msgspec.Struct, frozen=True):
    """Speculative decoding: tokens proposed, and those that the model would have written itself."""

    drafted: int = 0
    accepted: int = 0


class Finished(_Tagged, frozen=True):
    """The answer is complete, or was stopped."""

    id: int
    stop: StopReason
    usage: Usage
    timings: Timings
    memory: MemoryUse
    prefix: str = ""  # what the app wrote in front of the answer (the open code fence of a plain prompt)
    warnings: tuple[str, ...] = ()
    sample: int = 0
    draft: DraftUse | None = None
    sampling_order: tuple[str, ...] = ()  # the links that tokens were drawn with, first to last


class Quantized(_Tagged, frozen=True):
    """The smaller copy is written."""

    size_bytes: int
    elapsed_s: float


class Device(msgspec.Struct, frozen=True):
    """A device as llama.cpp sees it. Memory of the CPU is the machine's."""

    name: str
    description: str
    kind: Literal["cpu", "gpu", "integrated", "accelerator"]
    free_bytes: int
    total_bytes: int
    backend: str = ""


class Description(_Tagged, frozen=True):
    """What the native library is and can do."""

    binding_version: str
    system_info: str
    gpu_offload: bool
    devices: tuple[Device, ...]
    rpc: bool = False
    llama_version: str = ""


class Failed(_Tagged, frozen=True):
    """A request failed; the worker goes on unless its process ends. ``id`` 0: the one that has no id."""

    kind: str  # a value of errors.ErrorKind
    message: str
    hint: str = ""
    detail: str = ""
    id: int = 0
    needed_tokens: int | None = None  # as in EngineError
    fitting_tokens: int | None = None


Event = (
    Hello
    | Heartbeat
    | Progress
    | Loaded
    | ThreadsSet
    | Counted
    | PromptProgress
    | Chunk
    | Finished
    | Quantized
    | Description
    | Failed
)

_encoder = msgspec.json.Encoder()
command_decoder = msgspec.json.Decoder(Command)
event_decoder = msgspec.json.Decoder(Event)


def encode(message: Command | Event) -> bytes:
    """Return one line, its newline included. JSON escapes newlines in texts, so a line is a message."""
    return _encoder.encode(message) + b"\n"


def rpc_endpoints(devices: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses (``host:port``) of the RPC servers among device names, each once."""
    remote = (name.removeprefix("rpc://").partition("#")[0] for name in devices if "://" in name)
    return tuple(dict.fromkeys(remote))
