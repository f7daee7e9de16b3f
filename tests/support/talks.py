"""Prompts for tiny models with random weights whose answers do not hang on rounding.

With these seeds the likeliest token is far ahead of the next in all that is asked here (a hundredth of the logits'
spread at least, the answers' own follow-ups included), so that rounding, which depends on how tokens are batched,
cannot change a text. That holds for up to twelve tokens.
"""

from __future__ import annotations

from playground.chat.messages import Conversation
from playground.chat.options import AnswerOptions, Sampling

SEEDS = {"llama": 6, "qwen3": 15, "qwen35": 23, "qwen35moe": 16, "gemma3": 17, "gpt-oss": 15}
LONG = "Count the words of this text and say what you think of it. " * 12
FIRST = Conversation().with_user(LONG)
SECOND = ("And now shorter.", "And now longer, please.")
DIFFERENT = ("Hello there", "What is it?", f"Tell me about {LONG[:200]}")
CLEAR = AnswerOptions(Sampling(temperature=0), max_tokens=12)
