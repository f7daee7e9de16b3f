"""Asks llama-server's own code (``xllamacpp``) how it renders prompts and splits answers.

It runs as a process of its own, since it maps another llama.cpp: questions come as JSON on stdin, answers go to stdout.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Turns = Sequence[Mapping[str, str]]
_BOUND_S = 120


def ask(questions: Sequence[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return the answers of a server to each question's requests, an ``error`` where there is one.

    A question: ``model`` (a path), ``template`` (None: the model's own) and ``requests``, pairs of an endpoint and a
    body.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.oracle"],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=_BOUND_S,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    answers: list[list[dict[str, Any]]] = json.loads(done.stdout.splitlines()[-1])
    return answers


def _served(question: Mapping[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = question["model"]
    params.n_ctx, params.n_parallel, params.port, params.n_gpu_layers = 1024, 1, 0, 0
    params.hostnames = ["127.0.0.1"]
    params.cpuparams.n_threads = 1
    params.use_jinja, params.warmup, params.fit_params, params.verbosity = True, False, False, -1
    if question["template"] is not None:
        params.chat_template = question["template"]
    try:
        server = xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        return None, [{"error": str(error)}] * len(question["requests"])
    address = server.listening_address
    return server, [_post(f"{address}{endpoint}", body) for endpoint, body in question["requests"]]


def _post(url: str, body: Mapping[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=_BOUND_S) as response:
            found: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        return {"error": error.read().decode()}
    return found


if __name__ == "__main__":
    served = [_served(question) for question in json.load(sys.stdin)]
    sys.stdout.write(f"\n{json.dumps([answers for _, answers in served])}\n")
    sys.stdout.flush()
    os._exit(0)  # the servers' threads would take their time
