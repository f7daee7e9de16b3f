"""Finds what a task forbids in a program's text, before anything runs. Python by its syntax tree, others by words."""

from __future__ import annotations

import ast
import re
import symtable
import warnings
from collections.abc import Iterator, Sequence

from playground.bench.task import Language

_LOOKUPS = {"__import__", "import_module", "getattr", "eval", "exec", "globals", "vars", "get"}
_DOORS = {"builtins", "__builtins__", "__import__", "importlib", "getattr", "globals", "vars", "sys"}
_NOT_CODE = {  # strings are kept, comments go; the strings are named so that a comment's sign inside one is none
    "javascript": re.compile(
        r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|//[^\n]*|/\*.*?\*/""", re.DOTALL
    ),
    "sql": re.compile(r"""('(?:''|[^'])*'|"(?:""|[^"])*")|--[^\n]*|/\*.*?\*/""", re.DOTALL),
    "bash": re.compile(r"""("(?:\\.|[^"\\])*"|'[^']*')|(?:^|(?<=\s))#[^\n]*""", re.DOTALL | re.MULTILINE),
}


def forbidden(code: str, names: Sequence[str], language: Language) -> tuple[str, ...]:
    """Return which of the names the program uses, in their order."""
    if not names:
        return ()
    used = _python(code) if language == "python" else None
    if used is not None:
        return tuple(name for name in names if name in used)
    text = _NOT_CODE[language].sub(lambda found: found[1] or " ", code) if language in _NOT_CODE else code
    flags = re.IGNORECASE if language == "sql" else 0
    return tuple(name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, flags))


def _python(code: str) -> set[str] | None:
    """Return every name that a program uses, None when it is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
            used = {name for node in ast.walk(tree) for name in _names(node)}
            return used if used & _DOORS else used - _own(code, tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _own(code: str, tree: ast.Module) -> set[str]:
    """Return the names that mean nothing but what the program itself defines: its functions, methods and variables."""
    named, attributes, imported, methods = set(), set(), set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            named.add(node.id)
        elif isinstance(node, ast.Attribute):
            attributes.add(node.attr)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            imported |= set(_names(node))
        elif isinstance(node, ast.ClassDef):
            methods |= {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
    try:
        foreign = _foreign(symtable.symtable(code, "solution.py", "exec"))
    except (SyntaxError, RecursionError):
        return set()
    return (named | methods) - imported - (named & foreign) - (attributes - methods)


def _foreign(module: symtable.SymbolTable) -> set[str]:
    """Return the names that are looked up outside of the program, as builtins are.

    A name at the module's or a class's own level counts as one: it may be used there before it is defined.
    """
    defined = {symbol.get_name() for symbol in module.get_symbols() if symbol.is_namespace()}
    found: set[str] = set()
    tables = [module]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            is_inside = table.get_type() == "function" and (
                not symbol.is_global() or symbol.get_name() in defined
            )
            if symbol.is_referenced() and not is_inside:
                found.add(symbol.get_name())
    return found


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            yield from alias.name.split(".")
        yield from (getattr(node, "module", None) or "").split(".")
    elif isinstance(node, ast.Call):
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called in _LOOKUPS:
            yield from _texts(*node.args)
    elif isinstance(node, ast.Subscript) and _is_namespace(node.value):
        yield from _texts(node.slice)


def _texts(*nodes: ast.AST) -> list[str]:
    return [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def _is_namespace(node: ast.AST) -> bool:
    """Return whether a subscript looks names up: ``globals()["eval"]``, ``__builtins__["eval"]``, ``x.__dict__[...]``."""
    if isinstance(node, ast.Call):
        return getattr(node.func, "id", "") in ("globals", "locals", "vars")
    return getattr(node, "id", getattr(node, "attr", "")) in ("__builtins__", "__dict__", "modules")
