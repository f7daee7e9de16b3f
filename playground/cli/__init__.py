"""The command line: the second front end on the same core. JSON on stdout, words for people on stderr. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

from playground.cli.window import WindowOptions, window_options

__all__ = ["WindowOptions", "main", "window_options"]


def main(argv: Sequence[str]) -> int:
    """Run a subcommand and return its exit status: 0 all well, 1 something failed, 2 wrong usage."""
    from playground import logs
    from playground.cli import output
    from playground.cli.parser import parse
    from playground.errors import PlaygroundError, UsageError

    arguments = parse(argv)
    if isinstance(arguments, int):
        return arguments
    logs.start()
    try:
        return int(arguments.run(arguments))
    except PlaygroundError as error:
        output.say(f"playground: {error.sentence()}")
        return 2 if isinstance(error, UsageError) else 1
