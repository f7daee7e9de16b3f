"""Playground: the same coding prompt to two local language models, side by side, with honest figures."""

__version__ = "0.1.0"
