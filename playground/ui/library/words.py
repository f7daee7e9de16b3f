"""Figures and names of the Library as a person reads them. Pure functions; knows no widget."""

from __future__ import annotations

from playground.models.disk.inventory_values import Place
from playground.models.fitness import How, Verdict
from playground.ui.compare_words import size

Pill = tuple[str, str]  # words, role in the style sheet

CONTEXTS = (2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144)
UNITS = "1 GB = 10⁹ bytes, as the Hub counts"
FITS: dict[Verdict, Pill] = {
    "well": ("Runs well", "ok"),
    "tight": ("Tight", "warn"),
    "partly": ("Partly on the CPU", "warn"),
    "too_big": ("Too big", "bad"),
}
FIT_TIPS: dict[Verdict, str] = {
    "well": "It fits, with room to spare.",
    "tight": "It fits with less than a tenth of the memory left.",
    "partly": "Some layers stay on the CPU: several times slower.",
    "too_big": "It does not fit this machine's memory.",
}
HOWS: dict[How, Pill] = {
    "together": ("Together", "ok"),
    "in_turn": ("One after the other", "run"),
    "only_compact": ("Only the compact one", "warn"),
    "only_larger": ("Only the larger one", "warn"),
    "neither": ("Neither fits", "bad"),
}
PLACES: dict[Place, str] = {
    Place.APP: "Playground",
    Place.HUB: "Hub cache",
    Place.LM_STUDIO: "LM Studio",
    Place.OLLAMA: "Ollama",
    Place.JAN: "Jan",
    Place.GPT4ALL: "GPT4All",
    Place.LLAMA_CPP: "llama.cpp",
    Place.FOLDER: "Folder",
}
_FREE, _OWN = "use, change and sell freely", "own terms, not open source"
_LICENCES: dict[str, Pill] = {
    "apache-2.0": ("Apache-2.0", _FREE),
    "mit": ("MIT", _FREE),
    "bsd-3-clause": ("BSD-3-Clause", _FREE),
    "cc-by-4.0": ("CC BY 4.0", "free to use with the author's name"),
    "cc-by-nc-4.0": ("CC BY-NC 4.0", "not for commercial use"),
    "gemma": ("Gemma", _OWN),
    "llama2": ("Llama 2 Community", _OWN),
    "llama3": ("Llama 3 Community", _OWN),
    "llama3.1": ("Llama 3.1 Community", _OWN),
    "llama3.2": ("Llama 3.2 Community", _OWN),
    "llama3.3": ("Llama 3.3 Community", _OWN),
    "llama4": ("Llama 4 Community", _OWN),
    "other": ("Own licence", "read its terms before you use it"),
    "": ("Not stated", "ask the author before you use it at work"),
}
LICENCE_CHOICES = ("apache-2.0", "mit", "gemma", "llama3.1", "llama3.3", "other")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def licence(id_: str) -> Pill:
    """Return a licence's name and what it means in a few words."""
    return _LICENCES.get(id_.lower(), (id_, ""))


def tenths(size_bytes: int) -> str:
    """Return gigabytes with one decimal, without the unit."""
    return f"{size_bytes / 1e9:.1f}"


def hundredths(size_bytes: int) -> str:
    """Return gigabytes with two decimals, without the unit."""
    return f"{size_bytes / 1e9:.2f}"


def rough(size_bytes: int) -> str:
    """Return a size of which the last digit does not matter: ``312 GB``, ``9.4 GB``, ``300 MB``."""
    return f"{size_bytes / 1e9:.0f} GB" if size_bytes >= 99.5e9 else size(size_bytes)


def of_size(part_bytes: int, whole_bytes: int) -> str:
    """Return ``9.04 of 14.40 GB``, or megabytes where the whole is small."""
    if whole_bytes >= 1e9:
        return f"{hundredths(part_bytes)} of {hundredths(whole_bytes)} GB"
    return f"{part_bytes / 1e6:.0f} of {whole_bytes / 1e6:.0f} MB"


def context(tokens: int) -> str:
    """Return tokens of context: ``32k``."""
    return f"{tokens // 1024}k" if tokens >= 1024 else str(tokens)


def contexts_up_to(most: int) -> tuple[int, ...]:
    """Return the contexts to choose from; the model's own largest is the last. 0: it is not known."""
    if not most:
        return CONTEXTS[:5]
    below = tuple(step for step in CONTEXTS if step < most)
    return (*below, most)


def params(count: int) -> str:
    """Return a number of weights: ``27B``, ``3.6B``, ``270M``; empty for 0."""
    if count >= 999_500_000:
        billions = count / 1e9
        return f"{billions:.0f}B" if billions >= 9.95 else f"{billions:.1f}".removesuffix(".0") + "B"
    return f"{count / 1e6:.0f}M" if count else ""


def count(number: int) -> str:
    """Return a large number: ``4.1M``, ``880k``, ``12``."""
    if number >= 999_500:
        return f"{number / 1e6:.1f}M"
    return f"{number / 1e3:.0f}k" if number >= 1000 else str(number)


def plural(number: int, noun: str) -> str:
    """Return ``1 model`` or ``3 models``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return a time: ``58 s``, ``1 min 54 s``, ``2 h 5 min``, ``3 days``."""
    whole = max(0, round(seconds))
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S} s"
    if whole < 2 * _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S} min"
    return f"{whole // _DAY_S} days"


def about(seconds: float) -> str:
    """Return a time that nobody knows exactly: ``about 6 min``."""
    if seconds < _MINUTE_S:
        return "less than a minute"
    minutes = round(seconds / _MINUTE_S)
    return f"about {minutes} min" if minutes < 90 else f"about {minutes / 60:.0f} h"


def speed(bytes_per_s: float) -> str:
    """Return a speed: ``48.2 MB/s``, ``640 kB/s``, ``0 B/s``."""
    if bytes_per_s >= 1e6:
        return f"{bytes_per_s / 1e6:.1f} MB/s"
    return f"{bytes_per_s / 1e3:.0f} kB/s" if bytes_per_s >= 1000 else f"{bytes_per_s:.0f} B/s"


def short_name(repository: str) -> str:
    """Return a repository's name without its owner and its ``-GGUF``."""
    name = repository.rpartition("/")[2]
    return name[:-5] if name.lower().endswith("-gguf") else name
