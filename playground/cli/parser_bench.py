"""Arguments of ``playground bench`` and ``playground suite``. Imports nothing heavy."""

from __future__ import annotations

import argparse

from playground.cli.parser_types import KV_TYPES, deferred, gpu_layers


def add_bench(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``bench`` and its subcommands."""
    parser.add_argument(
        "--model", action="append", default=[], metavar="REF", dest="models", help="compact first"
    )
    parser.add_argument("--suite", default="starter", metavar="S", help="a suite's name, or its folder")
    parser.add_argument(
        "--task", default="", metavar="GLOB", help="only tasks whose id or tier fits (py-*, tier:0)"
    )
    parser.add_argument("--samples", type=int, default=1, metavar="K", help="answers for each task")
    parser.add_argument("--seed", type=int, default=42, metavar="N")
    parser.add_argument("--temperature", type=float, metavar="X", help="0 for one sample, else 0.7")
    parser.add_argument("--max-tokens", type=int, default=2048, metavar="N")
    parser.add_argument("--ctx", type=int, metavar="N", help="tokens of context for one answer")
    parser.add_argument("--thinking", choices=("on", "off"))
    parser.add_argument(
        "--margin", type=float, default=0.10, metavar="X", help="how much worse is good enough"
    )
    parser.add_argument("--parallel", type=int, default=0, metavar="N", help="answers decoded in one batch")
    parser.add_argument("--plan", choices=("auto", "together", "sequential"), default="auto")
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--gpu-layers", type=gpu_layers, default="auto", metavar="auto|none|all|N")
    parser.add_argument("--kv-type", choices=KV_TYPES, default="auto")
    parser.add_argument("--out", metavar="FILE", help="the run file; by default in the app's data folder")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("--json", action="store_true", help="print playground.bench/1 on stdout")
    parser.set_defaults(run=deferred("bench", "bench"))
    commands = parser.add_subparsers(metavar="COMMAND")
    show = commands.add_parser("show", help="the verdict of a run file")
    show.add_argument("file", metavar="FILE")
    show.add_argument("--json", action="store_true")
    show.add_argument("--html", metavar="FILE", help="write the report as one HTML file")
    show.add_argument("--markdown", metavar="FILE", help="write the report as Markdown")
    show.set_defaults(run=deferred("bench", "show"))


def add_suite(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of ``suite``."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="list the suites")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=deferred("suite", "list_suites"))
    check = commands.add_parser(
        "check", help="run every reference (must pass) and wrong solution (must fail)"
    )
    check.add_argument("suite", metavar="SUITE", help="a suite's name, or a folder")
    check.add_argument("--json", action="store_true")
    check.set_defaults(run=deferred("suite", "check"))
    fetch = commands.add_parser("fetch", help="fetch a suite from the Hub")
    fetch.add_argument("name", metavar="NAME", help="humaneval+, mbpp+ or lbpp")
    fetch.set_defaults(run=deferred("suite", "fetch"))
