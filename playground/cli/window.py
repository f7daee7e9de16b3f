"""What the window is started with. Apart from the other arguments, because the window's start needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class WindowOptions(NamedTuple):
    """What the window was started with."""

    models: Sequence[str] = ()
    prompt: str | None = None
    prompt_id: str | None = None
    theme: str | None = None

    def compare_arguments(self) -> list[str]:
        """Return the arguments of ``playground compare`` for the same job."""
        models = [part for model in self.models for part in ("--model", model)]
        if self.prompt_id:
            return [*models, "--prompt-id", self.prompt_id]
        return [*models, "--prompt", self.prompt or ""]


def window_options(argv: Sequence[str]) -> WindowOptions | None:
    """Return the window's options, None after a usage error was shown."""
    if not argv:
        return WindowOptions()
    from playground.cli import parser

    return parser.parse_window(argv)
