"""A conversation as one document: Markdown that streams in at the same cost at any length."""

from playground.ui.transcript.view import TranscriptView

__all__ = ["TranscriptView"]
