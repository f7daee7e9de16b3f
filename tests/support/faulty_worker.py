"""A worker that greets, loads and then misbehaves in the way its first argument names. Run as a script."""

from __future__ import annotations

import os
import signal
import sys
import time

_HELLO = '{"type":"hello","protocol":2,"pid":1}'
_LOADED = (
    '{"type":"loaded","load_s":0.1,"memory":{},"model":{"n_ctx":8,"n_ctx_train":8,"n_layers":1,"gpu_layers":0,'
    '"is_base":false,"thinks":false,"description":"faulty"}}'
)
_CHUNK = '{"type":"chunk","id":1,"text":"%s","reasoning":"","tokens":1,"decode_s":0.1}'


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(fault: str) -> None:
    if fault == "silent":
        time.sleep(60)
    _say(_HELLO)
    sys.stdin.readline()
    _say(_LOADED)
    sys.stdin.readline()
    _say(_CHUNK % "begun")
    if fault == "garbage":
        _say("this is not the protocol")
    elif fault == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault == "aborted":
        sys.stderr.write("ggml.c:7: GGML_ASSERT(n > 0) failed\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGABRT)
    elif fault == "frozen":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif fault == "exit":
        sys.exit(7)
    while fault == "flood":
        _say(_CHUNK % ("x" * 60_000))
    while fault == "noise":
        sys.stderr.write("noise " * 10_000)
    time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1])
