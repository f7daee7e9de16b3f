"""Arguments of ``playground models`` and ``playground fit``. Imports nothing heavy."""

from __future__ import annotations

import argparse

from playground.cli.parser_types import KV_TYPES, deferred, size_bytes

SORTS = ("downloads", "likes", "trending", "newest")


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of ``models``."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="list the models on this disk")
    listing.add_argument("--all", action="store_true", help="broken, partial and duplicate ones, too")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=deferred("models", "list_models"))
    smaller = commands.add_parser("quantize", help="make a smaller copy of a model")
    smaller.add_argument("source", metavar="SRC", help="a model reference")
    smaller.add_argument("type", metavar="TYPE", help="for example Q4_K_M or Q2_K")
    smaller.add_argument("-o", "--output", metavar="FILE")
    smaller.set_defaults(run=deferred("models", "quantize"))
    search = commands.add_parser("search", help="search the Hub for GGUF models")
    search.add_argument("words", nargs="*", metavar="WORDS")
    search.add_argument("--sort", choices=SORTS, default="downloads")
    search.add_argument("--author", default="", metavar="NAME")
    search.add_argument("--licence", default="", metavar="ID", help="for example apache-2.0")
    search.add_argument("--gated", choices=("any", "no", "only"), default="any")
    search.add_argument("--params", default="", metavar="MIN-MAX", help="weights, for example 1B-8B")
    search.add_argument("--limit", type=int, default=20, metavar="N")
    search.add_argument("--json", action="store_true")
    search.set_defaults(run=deferred("hub", "search"))
    show = commands.add_parser(
        "show", help="show a model of the Hub: its quantizations, sizes, and what fits"
    )
    show.add_argument("ref", metavar="REF", help="owner/name, hf:owner/name[:QUANT] or its address")
    show.add_argument("--ctx", type=int, default=8192, metavar="N", help="tokens of context for the fit")
    show.add_argument("--json", action="store_true")
    show.set_defaults(run=deferred("hub", "show"))
    pull = commands.add_parser("pull", help="fetch models from the Hub, checked and resumable")
    pull.add_argument("refs", nargs="+", metavar="REF", help="hf:owner/name[:QUANT]")
    pull.add_argument("--json", action="store_true", help="events, one JSON object per line, on stdout")
    pull.set_defaults(run=deferred("pull", "pull"))
    verify = commands.add_parser(
        "verify", help="hash files on this disk again and compare with the Hub's sha256"
    )
    verify.add_argument("ref", metavar="REF")
    verify.add_argument("--json", action="store_true")
    verify.set_defaults(run=deferred("disk", "verify"))
    remove = commands.add_parser("rm", help="delete a model of the Hub cache, the app's or an added folder")
    remove.add_argument("ref", metavar="REF")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    remove.add_argument("--json", action="store_true")
    remove.set_defaults(run=deferred("disk", "remove"))
    pairs = commands.add_parser("pairs", help="pairs worth comparing, and how they fit this machine")
    _machine(pairs)
    pairs.add_argument("--json", action="store_true")
    pairs.set_defaults(run=deferred("fit", "pairs"))


def add_fit(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``fit``."""
    parser.add_argument("refs", nargs="+", metavar="REF", help="one model, or the compact and the larger one")
    _machine(parser)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=deferred("fit", "fit"))


def _machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ctx", type=int, default=8192, metavar="N", help="tokens of context")
    parser.add_argument("--kv-type", choices=KV_TYPES, default="auto")
    parser.add_argument("--memory", type=size_bytes, metavar="BYTES", help="as if so much were free (16GB)")
    parser.add_argument("--gpu-memory", type=size_bytes, metavar="BYTES", help="as if a GPU had so much free")
