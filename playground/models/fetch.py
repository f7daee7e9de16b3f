"""The fetcher: a child process that brings one file of the Hub into the cache, whole and checked."""

from __future__ import annotations


def main() -> int:
    """Read one job from stdin, report on stdout, return the exit status."""
    raise NotImplementedError
