"""Arguments of the command line. Imports nothing heavy: subcommands are imported when they run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from playground import __version__
from playground.cli.parser_bench import add_bench, add_suite
from playground.cli.parser_library import add_fit, add_models
from playground.cli.parser_types import KV_TYPES, deferred, gpu_layers, size_bytes
from playground.cli.window import WindowOptions

MAX_MODELS = 8
EFFORTS = ("none", "low", "medium", "high", "xhigh")


def parse(argv: Sequence[str]) -> argparse.Namespace | int:
    """Return the parsed arguments, or the exit status when argparse has said all there is to say."""
    try:
        return _parser().parse_args(list(argv))
    except SystemExit as end:
        return int(end.code or 0)


def parse_window(argv: Sequence[str]) -> WindowOptions | None:
    """Return the window's options, None after a usage error was shown."""
    parser = argparse.ArgumentParser(prog="playground", add_help=False)
    _window_arguments(parser)
    try:
        found = parser.parse_args(list(argv))
    except SystemExit:
        return None
    return WindowOptions(tuple(found.model or ()), found.prompt, found.prompt_id, found.theme)


def _window_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", action="append", metavar="REF", help="a lane's model; up to twice")
    prompt = parser.add_mutually_exclusive_group()
    prompt.add_argument("--prompt", metavar="TEXT", help="ask this at once")
    prompt.add_argument("--prompt-id", metavar="ID", help="ask this built-in prompt at once")
    parser.add_argument("--theme", choices=("system", "light", "dark"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="playground",
        description="Put the same coding prompt to two local models, side by side. Without a command: the window.",
        epilog="REF: starter, starter:QUANT, a path to a .gguf, or hf:owner/name[:QUANT] from the Hugging Face cache.",
    )
    parser.add_argument("--version", action="version", version=f"playground {__version__}")
    _window_arguments(parser)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _compare(commands.add_parser("compare", help="answer one prompt with one to eight models"))
    prompts = commands.add_parser("prompts", help="list the built-in prompts")
    prompts.add_argument("--json", action="store_true")
    prompts.set_defaults(run=deferred("models", "prompts"))
    add_models(commands.add_parser("models", help="find models, fetch them, and what is on this disk"))
    add_fit(commands.add_parser("fit", help="say whether a model, or a pair, fits the memory"))
    add_bench(commands.add_parser("bench", help="run a coding suite with two models and judge it"))
    add_suite(commands.add_parser("suite", help="check, list and fetch coding suites"))
    doctor = commands.add_parser("doctor", help="say what this machine and installation can do")
    doctor.add_argument("--json", action="store_true")
    doctor.add_argument(
        "--device", action="append", default=[], metavar="DEVICE", help="look at rpc://host:port, too"
    )
    doctor.set_defaults(run=deferred("doctor", "doctor"))
    _lend(commands.add_parser("serve-device", help="lend this machine's devices to another machine"))
    return parser


def _compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", action="append", required=True, metavar="REF", dest="models")
    prompt = parser.add_mutually_exclusive_group(required=True)
    prompt.add_argument("--prompt", metavar="TEXT")
    prompt.add_argument("--prompt-file", metavar="FILE", help="- reads stdin")
    prompt.add_argument("--prompt-id", metavar="ID")
    parser.add_argument("--system", default="", metavar="TEXT")
    parser.add_argument("--max-tokens", type=int, default=1024, metavar="N")
    parser.add_argument("--temperature", type=float, metavar="X")
    parser.add_argument("--seed", type=int, metavar="N")
    parser.add_argument(
        "--recommended", action="store_true", help="sample as each model's publisher recommends"
    )
    parser.add_argument("--ctx", type=int, metavar="N", help="tokens of context")
    parser.add_argument("--gpu-layers", type=gpu_layers, default="auto", metavar="auto|none|all|N")
    parser.add_argument(
        "--device",
        action="append",
        default=[],
        metavar="DEVICE",
        help="offload to this; also rpc://host:port",
    )
    parser.add_argument("--tensor-split", metavar="A,B", help="shares of the devices, in their order")
    parser.add_argument("--cpu-experts", type=gpu_layers, default="auto", metavar="auto|none|all|N")
    parser.add_argument("--no-kv-offload", action="store_true", help="keep the cache in the machine's memory")
    parser.add_argument("--flash-attention", choices=("auto", "on", "off"), default="auto")
    parser.add_argument("--kv-type", choices=KV_TYPES, default="auto")
    parser.add_argument(
        "--draft", default="", metavar="mtp|REF", help="draft with the model's own layers or a model"
    )
    parser.add_argument(
        "--reasoning-budget", type=int, metavar="N", help="tokens; then the model must answer"
    )
    parser.add_argument("--reasoning-effort", choices=EFFORTS)
    parser.add_argument(
        "--context-shift", action="store_true", help="forget the oldest turns when it is full"
    )
    parser.add_argument("--grammar-file", metavar="FILE", help="GBNF that the answer must follow")
    parser.add_argument(
        "--json-schema-file", metavar="FILE", help="a JSON schema that the answer must follow"
    )
    parser.add_argument("--template-file", metavar="FILE", help="a chat template in place of the model's own")
    parser.add_argument("--threads", type=int, metavar="N", help="the most one model may use")
    parser.add_argument("--plan", choices=("auto", "together", "sequential"), default="auto")
    parser.add_argument("--thinking", choices=("on", "off"))
    parser.add_argument("--json", action="store_true", help="print playground.compare/1 on stdout")
    parser.set_defaults(run=deferred("compare", "compare"))


def _lend(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Lend this machine's GPUs, or its CPU, to a Playground or llama.cpp on another machine. The connection has no "
        "password and no encryption: use it on a trusted network only."
    )
    parser.add_argument(
        "--bind", default="127.0.0.1", metavar="ADDR", help="HOST or HOST:PORT (127.0.0.1:50052)"
    )
    parser.add_argument(
        "--memory", type=size_bytes, default=0, metavar="BYTES", help="lend at most so much (8GB)"
    )
    parser.add_argument("--threads", type=int, default=0, metavar="N")
    parser.set_defaults(run=deferred("lend", "serve_device"))
