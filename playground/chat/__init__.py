"""Conversations and sampling options: pure values, no I/O."""
