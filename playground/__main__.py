"""Where every start begins: decides between the window, a subcommand and an engine worker, importing nothing heavy.

playground [--model A --model B] [--prompt TEXT | --prompt-id ID] [--theme system|light|dark]
playground compare|prompts|models|fit|bench|suite|doctor|serve-device ...
playground preflight [--window] [--packages]
playground engine-worker | device-worker PORT THREADS | fetch-worker
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Sequence

_SUBCOMMANDS = ("compare", "prompts", "models", "fit", "bench", "suite", "doctor", "serve-device")
_SETUP_EXIT = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run and return the exit status: 0 well, 1 a lane or a step failed, 2 wrong usage, 3 the machine lacks something."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads: keep the interpreter's last flush quiet
        return 1


def _dispatch(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first == "engine-worker":
        return _worker()
    if first == "device-worker":
        from playground.engines.llama import lending

        return lending.main(arguments[1:])
    if first == "fetch-worker":
        from playground.models.downloads import fetch

        return fetch.main()
    if first == "preflight":
        return _preflight(arguments[1:])
    if first in _SUBCOMMANDS or first in ("-h", "--help", "--version"):
        from playground import cli

        return cli.main(arguments)
    return _window(arguments)


def _worker() -> int:
    # The native library's binding and msgspec take names from typing_extensions that typing has had since Python 3.11;
    # importing it costs a seventh of a worker's start.
    import typing

    sys.modules.setdefault("typing_extensions", typing)
    from playground.engines import worker

    return worker.main()


def _preflight(arguments: list[str]) -> int:
    from playground import preflight

    setup, window = preflight.setup_problems(), preflight.window_problems()
    window = [problem for problem in window if problem.kind not in ("python", "binding")]
    if "--packages" in arguments:
        packages = [name for problem in (*setup, *window) for name in problem.packages]
        sys.stdout.write("".join(f"{name}\n" for name in packages))
        return 0
    _say(problem.sentence for problem in (*setup, *window))
    return _SETUP_EXIT if setup or (window and "--window" in arguments) else 0


def _window(arguments: list[str]) -> int:
    from playground import cli

    options = cli.window_options(arguments)
    if options is None:
        return 2
    from playground import preflight

    problems = preflight.window_problems()
    if not problems:
        gc.disable()  # what is made before the first paint stays; the app switches it on again
        from playground import app

        return app.run(
            models=options.models,
            prompt=options.prompt,
            prompt_id=options.prompt_id,
            theme_name=options.theme,
        )
    _say(problem.sentence for problem in problems)
    if options.models and (options.prompt or options.prompt_id):
        _say(["There can be no window, so the models answer here."])
        return cli.main(["compare", *options.compare_arguments()])
    _say(
        ["Without a window use: playground compare --model starter --model starter:Q2_K --prompt-id fizzbuzz"]
    )
    return _SETUP_EXIT


def _say(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        sys.stderr.write(f"playground: {sentence}\n")


if __name__ == "__main__":
    sys.exit(main())
