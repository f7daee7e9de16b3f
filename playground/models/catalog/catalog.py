"""The catalog of models and pairs: ``resources/catalog.toml``, and what a user's own file adds or replaces. Blocking.

The user's file is ``catalog.toml`` in the data folder, written like the one that ships. What is wrong in it is said in
``Catalog.problems``, and the rest of it holds; a damaged file of the app's own is an error.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from playground import config, resources
from playground.errors import ResourceError, one_line
from playground.models.catalog.catalog_check import model_problem, pair_problem
from playground.models.catalog.catalog_values import Catalog, CatalogModel, CatalogPair

FILE = "catalog.toml"
_LIMIT_BYTES = 4 << 20
_Entry = TypeVar("_Entry", CatalogModel, CatalogPair)


def user_file() -> Path:
    """Return where the user's own catalog lies; it need not exist."""
    return config.folders().data / FILE


def catalog() -> Catalog:
    """Return all that is known. Raises ResourceError when the app's own file is damaged."""
    own = shipped()
    try:
        raw = user_file().read_bytes()
    except FileNotFoundError:
        return own
    except OSError as error:
        return _with_problem(own, f"it cannot be read ({error.strerror})")
    if len(raw) > _LIMIT_BYTES:
        return _with_problem(own, "it is larger than 4 MiB")
    try:
        data = tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return _with_problem(own, str(error))
    return merged(own, data)


@cache
def shipped() -> Catalog:
    """Return the catalog that ships with the app. Raises ResourceError."""
    return parse(resources.text(FILE))


def parse(text: str) -> Catalog:
    """Return a whole catalog, as the app ships one. Raises ResourceError, which names file and key."""
    try:
        found = msgspec.convert(tomllib.loads(text), Catalog)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _damaged(str(error)) from error
    models: dict[str, CatalogModel] = {}
    for index, model in enumerate(found.models):
        problem = "its id is there already" if model.id in models else model_problem(model)
        if problem:
            raise _damaged(f"models[{index}] ({model.id}): {problem}")
        models[model.id] = model
    seen: set[str] = set()
    for index, pair in enumerate(found.pairs):
        problem = "its id is there already" if pair.id in seen else pair_problem(pair, models)
        if problem:
            raise _damaged(f"pairs[{index}] ({pair.id}): {problem}")
        seen.add(pair.id)
    if [pair.is_story for pair in found.pairs] != [True] + [False] * (len(found.pairs) - 1):
        raise _damaged("pairs: the first one, and only that, is the story's")
    return found


def merged(own: Catalog, data: dict[str, Any]) -> Catalog:
    """Return the app's catalog with a user's entries, which replace those of the same id."""
    problems = [f"{key} is not known" for key in data if key not in ("models", "pairs")]
    models = {model.id: model for model in own.models}
    pairs = {pair.id: pair for pair in own.pairs}
    story = {pair.id for pair in own.pairs if pair.is_story}
    for model in _entries(data, "models", CatalogModel, model_problem, problems):
        models[model.id] = model
    for pair in _entries(data, "pairs", CatalogPair, lambda pair: pair_problem(pair, models), problems):
        pairs[pair.id] = msgspec.structs.replace(pair, is_story=pair.id in story, is_own=True)
    for pair in list(pairs.values()):
        problem = pair_problem(pair, models)
        if problem:  # the user's model has replaced one that it needs
            problems.append(f"the pair {pair.id} is left out: {problem}")
            del pairs[pair.id]
    sentences = tuple(_sentence(problem) for problem in problems)
    return Catalog(tuple(models.values()), tuple(pairs.values()), sentences)


def _entries(
    data: dict[str, Any],
    key: str,
    kind: type[_Entry],
    problem_of: Callable[[_Entry], str],
    problems: list[str],
) -> Iterable[_Entry]:
    """Yield the entries that can be used, and note what is wrong with the others."""
    entries = data.get(key, [])
    if not isinstance(entries, list):
        problems.append(f"{key} is no list of tables ([[{key}]])")
        return
    for index, entry in enumerate(entries):
        try:
            found = msgspec.convert(entry, kind)
        except msgspec.ValidationError as error:
            problems.append(f"{key}[{index}]: {error}")
            continue
        problem = problem_of(found)
        if problem:
            problems.append(f"{key}[{index}] ({found.id}): {problem}")
        else:
            yield found


def _with_problem(own: Catalog, problem: str) -> Catalog:
    return msgspec.structs.replace(own, problems=(_sentence(problem),))


def _sentence(problem: str) -> str:
    return one_line(f"In {user_file()}: {problem.rstrip('.')}.", 400)


def _damaged(problem: str) -> ResourceError:
    return ResourceError(f"The catalog {FILE} is damaged: {problem}.", hint="Install Playground again.")
