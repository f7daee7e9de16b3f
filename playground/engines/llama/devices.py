"""The devices that llama.cpp can use: those of this machine and those that RPC servers lend.

A device of an RPC server is called ``rpc://host:port`` (``#1`` and so on behind it for a server's further devices),
whatever llama.cpp numbers it in this process.
"""

from __future__ import annotations

import ctypes
import re
import socket
import struct
import time
from typing import Any, Literal

import psutil

from playground.engines.builds import install_line
from playground.engines.llama.library import L, binding_version, symbol
from playground.engines.protocol import Description, Device
from playground.errors import EngineError, ErrorKind

_KINDS: tuple[Literal["cpu", "gpu", "integrated", "accelerator"], ...] = (
    "cpu",
    "gpu",
    "integrated",
    "accelerator",
)
_ENDPOINT = re.compile(r"^([\w.-]+):(\d{1,5})$")  # llama.cpp knows IPv4 only
_BUFFER = re.compile(r"^RPC(\d+)\[(.+)\]$")
_CONNECT_S = 3.0
_GREETING_S = 5.0  # a lender may have to start a process first
_HELLO, _HELLO_BYTES, _ANSWER_BYTES = (
    14,
    24,
    28,
)  # rpc_cmd, rpc_msg_hello_req, rpc_msg_hello_rsp in ggml-rpc.cpp
_PROTOCOL = (7, 0)  # RPC_PROTO_MAJOR_VERSION and _MINOR_VERSION in ggml-rpc.h
_REGISTERED: set[str] = set()
_CONNECTIONS: list[
    Any
] = []  # a backend keeps the connection; without one llama.cpp connects for each question
_void = ctypes.c_void_p


def handles() -> list[Any]:
    """Return llama.cpp's handles of all devices."""
    count = symbol("ggml_backend_dev_count", ctypes.c_size_t, [])
    get = symbol("ggml_backend_dev_get", _void, [ctypes.c_size_t])
    return [get(index) for index in range(count())]


def add_rpc(endpoints: tuple[str, ...]) -> None:
    """Make the devices of RPC servers (``host:port``) available. Raises EngineError.

    llama.cpp ends the process when it cannot reach a server and waits for ever for one that says nothing, so each is
    greeted first.
    """
    for endpoint in endpoints:
        if endpoint in _REGISTERED:
            continue
        if not L.llama_supports_rpc():
            raise EngineError(
                ErrorKind.LOAD_FAILED,
                "This build of llama.cpp cannot use devices of other machines.",
                hint=f"Build it with: {install_line('GGML_RPC')}",
            )
        _greet(endpoint)
        connect = symbol("ggml_backend_rpc_init", _void, [ctypes.c_char_p, ctypes.c_uint32])
        _CONNECTIONS.append(connect(endpoint.encode(), 0))
        registry = symbol("ggml_backend_rpc_add_server", _void, [ctypes.c_char_p])(endpoint.encode())
        if not registry:
            raise _unreachable(endpoint, "it lends no device")
        symbol("ggml_backend_register", None, [_void])(registry)
        _REGISTERED.add(endpoint)


def all_devices() -> tuple[Device, ...]:
    """Return what is known of every device, in llama.cpp's order."""
    return tuple(_describe(handle) for handle in handles())


def find(names: tuple[str, ...]) -> list[Any]:
    """Return the handles of devices by name. Raises EngineError for an unknown one."""
    known = {_describe(handle).name: handle for handle in handles()}
    missing = [name for name in names if name not in known]
    if missing:
        raise EngineError(
            ErrorKind.LOAD_FAILED,
            f"There is no device {missing[0]}.",
            hint=f"There are: {', '.join(known)}. playground doctor lists them.",
        )
    return [known[name] for name in names]


def cpu_buffer_type() -> Any:  # noqa: ANN401 -- an opaque pointer
    """Return the buffer type of the machine's own memory."""
    return symbol("ggml_backend_cpu_buffer_type", _void, [])()


def name_of_buffer(name: str) -> str:
    """Return the device that a buffer in llama.cpp's log belongs to: ``CPU_Mapped`` is ``CPU``'s."""
    remote = _BUFFER.match(name)
    if remote:
        return _rpc_name(remote[2], int(remote[1]))
    return re.sub(r"_(?:Mapped|REPACK|Host|AMX|Private|Split)$", "", name)


def describe(rpc: tuple[str, ...]) -> Description:
    """Return what this build is and what it can use. Raises EngineError when an RPC server is not to be had."""
    add_rpc(rpc)
    return Description(
        binding_version=binding_version(),
        system_info=L.llama_print_system_info().decode("utf-8", "replace").strip(),
        gpu_offload=bool(L.llama_supports_gpu_offload()),
        devices=all_devices(),
        rpc=bool(L.llama_supports_rpc()),
        llama_version=L.llama_version().decode("utf-8", "replace"),
    )


def _describe(handle: Any) -> Device:  # noqa: ANN401 -- an opaque pointer
    name = symbol("ggml_backend_dev_name", ctypes.c_char_p, [_void])(handle).decode("utf-8", "replace")
    text = symbol("ggml_backend_dev_description", ctypes.c_char_p, [_void])(handle).decode("utf-8", "replace")
    size_p = ctypes.POINTER(ctypes.c_size_t)
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    symbol("ggml_backend_dev_memory", None, [_void, size_p, size_p])(
        handle, ctypes.byref(free), ctypes.byref(total)
    )
    kind = symbol("ggml_backend_dev_type", ctypes.c_int, [_void])(handle)
    registry = symbol("ggml_backend_dev_backend_reg", _void, [_void])(handle)
    backend = symbol("ggml_backend_reg_name", ctypes.c_char_p, [_void])(registry).decode("utf-8", "replace")
    if text in _REGISTERED:
        return Device(
            _rpc_name(text, _rpc_index(name, text)), text, "gpu", free.value, total.value, backend="RPC"
        )
    named_kind = _KINDS[min(kind, len(_KINDS) - 1)]
    left = (
        psutil.virtual_memory().available if named_kind == "cpu" else free.value
    )  # llama.cpp takes all for free
    return Device(name, text, named_kind, min(free.value, left), total.value, backend)


def _rpc_index(name: str, endpoint: str) -> int:
    """Return which device of its server this is; llama.cpp numbers the devices of all servers in one row."""
    device_name = symbol("ggml_backend_dev_name", ctypes.c_char_p, [_void])
    text = symbol("ggml_backend_dev_description", ctypes.c_char_p, [_void])
    of_server = [device_name(h).decode() for h in handles() if text(h) == endpoint.encode()]
    return of_server.index(name) if name in of_server else 0


def _rpc_name(endpoint: str, index: int) -> str:
    return f"rpc://{endpoint}" + (f"#{index}" if index else "")


def _greet(endpoint: str) -> None:
    """Say hello as llama.cpp does, within a bounded time. Raises EngineError when no such server answers."""
    match = _ENDPOINT.match(endpoint)
    if match is None or not 0 < int(match[2]) < 65536:
        raise EngineError(
            ErrorKind.LOAD_FAILED,
            f"{endpoint} is not the address of an RPC server.",
            hint="Write it as rpc://host:port.",
        )
    hello = struct.pack("<BQ", _HELLO, _HELLO_BYTES) + bytes(_HELLO_BYTES)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
            server.settimeout(_CONNECT_S)
            server.connect((match[1], int(match[2])))
            server.sendall(hello)
            deadline = time.monotonic() + _GREETING_S
            is_rpc = _read(server, 8, deadline) == struct.pack("<Q", _ANSWER_BYTES)
            answer = _read(server, _ANSWER_BYTES, deadline) if is_rpc else b""
    except OSError as error:
        raise _unreachable(endpoint, error.strerror or "no answer") from error
    if len(answer) < _ANSWER_BYTES:
        raise _unreachable(endpoint, "what answers there is no RPC server of llama.cpp")
    major, minor = answer[:2]
    if major != _PROTOCOL[0] or minor > _PROTOCOL[1]:
        raise _unreachable(
            endpoint, f"it speaks version {major}.{minor} of the protocol, not {_PROTOCOL[0]}.{_PROTOCOL[1]}"
        )


def _read(server: socket.socket, size: int, deadline: float) -> bytes:
    """Return what a server says, at most ``size`` bytes. Raises TimeoutError when it takes too long."""
    found = b""
    while len(found) < size:
        server.settimeout(max(deadline - time.monotonic(), 0.01))
        data = server.recv(size - len(found))
        if not data:
            break
        found += data
        if time.monotonic() > deadline:
            raise TimeoutError
    return found


def _unreachable(endpoint: str, why: str) -> EngineError:
    return EngineError(
        ErrorKind.DEVICE_LOST,
        f"The RPC server {endpoint} cannot be used: {why}.",
        hint="Start it there with: playground serve-device, or leave out this device.",
    )
