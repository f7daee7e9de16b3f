"""Python source looked at as a tree: what it defines, what it needs, what of it is only a demonstration.

Nothing is executed: code is parsed and compiled to see that it is whole, and that is all. Cost is bounded by a budget
of characters, so that no answer takes longer than its length.
"""

from __future__ import annotations

import ast
import builtins
import re
import threading
import warnings
from collections.abc import Iterable, Iterator

LONGEST_CODE_CHARS = 200_000
_BUDGET_CHARS = 1_000_000
_LONGEST_RETURN = 12  # lines
_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__"}
_DEMO_CALLS = {"print", "input", "main", "exit", "quit", "pprint", "breakpoint", "help"}
_DEMO_METHODS = {"testmod", "main", "exit", "pprint", "run_docstring_examples"}
_DEMO_NAME = re.compile(r"_?(?:run_)?(?:unit_?)?(?:test|demo|example)s?(?:_|$)")
_CONTINUES = re.compile(r"(?:else|elif|except|finally|case)\b|[)\]}]")
_WARNINGS = threading.Lock()  # the filter of warnings is one for all threads
Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Reader:
    """Parses the pieces of one answer, as long as its budget lasts."""

    def __init__(self) -> None:
        self._left = _BUDGET_CHARS
        self._seen: dict[str, ast.Module | None] = {}

    def parse(self, code: str) -> ast.Module | None:
        """Return the tree of code that compiles, else None."""
        if code not in self._seen:
            self._left -= len(code)
            fits = len(code) <= LONGEST_CODE_CHARS and self._left >= 0
            self._seen[code] = _compiled(code) if fits else None
        return self._seen[code]

    def defines(self, code: str, name: str) -> bool:
        """Return whether code compiles and defines a name at its top, not as a stub."""
        tree = self.parse(code)
        return tree is not None and name in bound(tree.body) and not _is_stub(tree, name)


def bound(body: Iterable[ast.stmt]) -> set[str]:
    """Return the names that statements define at their level, those below if/try/with included."""
    names: set[str] = set()
    for node in body:
        if isinstance(node, Named):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        for part in ("body", "orelse", "finalbody", "handlers"):
            if not isinstance(node, Named) and isinstance(below := getattr(node, part, None), list):
                names |= bound(
                    h for b in below for h in (b.body if isinstance(b, ast.ExceptHandler) else [b])
                )
    return names


def missing(tree: ast.Module) -> set[str]:
    """Return the names that code uses and neither binds anywhere nor finds among the builtins."""
    used: set[str] = set()
    known: set[str] = set(_BUILTINS)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else known).add(node.id)
        elif isinstance(node, ast.arg):
            known.add(node.arg)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar | Named):
            known.add(node.name or "")
        elif isinstance(node, ast.alias):
            known.add((node.asname or node.name).partition(".")[0])
    return used - known


def method_of(tree: ast.Module, name: str) -> str:
    """Return the class that has a function as its method, the last one; empty without any."""
    owners = [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(part, Named) and part.name == name for part in node.body)
    ]
    return owners[-1] if owners else ""


def without_demo(code: str, tree: ast.Module, entry: str) -> str:
    """Return code without what only shows or tests it: ``__main__``, prints, asserts, input, and what builds on them."""
    gone: list[ast.stmt] = []
    names: set[str] = set()
    for node in tree.body:
        if _is_demo(node, entry) or (not isinstance(node, Named) and names & _loaded(node)):
            gone.append(node)
            if not isinstance(node, ast.If):
                names |= bound([node])
    return without(code, tree, gone)


def without(code: str, tree: ast.Module, gone: Iterable[ast.stmt]) -> str:
    """Return code without some of its top statements; one that shares a line with others stays."""
    leaving = {id(node) for node in gone}
    kept = {n for node in tree.body if id(node) not in leaving for n in _lines(node)}
    dropped = {
        n for node in tree.body if id(node) in leaving and not kept & set(_lines(node)) for n in _lines(node)
    }
    if not dropped:
        return code
    lines = code.split("\n")
    return "\n".join(line for number, line in enumerate(lines, 1) if number not in dropped).strip("\n") + "\n"


def segments(code: str) -> list[str]:
    """Return code cut where a new statement begins at the left margin, decorators with what they decorate."""
    found: list[list[str]] = []
    held = False
    for line in code.split("\n"):
        starts = line[:1].strip() and not line.startswith("#") and not _CONTINUES.match(line)
        if not found or (starts and not held):
            found.append([])
        found[-1].append(line)
        if starts or not line.strip():
            held = line.startswith("@") or (held and not starts)
    return ["\n".join(lines) for lines in found]


def joined(parts: Iterable[str]) -> str:
    """Return parts as one module; what must stand first (``from __future__``) does."""
    first: list[str] = []
    rest: list[str] = []
    for part in parts:
        if "__future__" not in part:
            rest.append(part.strip("\n"))
            continue
        lines = part.strip("\n").split("\n")
        first += [line for line in lines if line.startswith("from __future__")]
        rest.append("\n".join(line for line in lines if not line.startswith("from __future__")))
    return (
        "\n".join([*dict.fromkeys(first), "\n\n".join(part for part in rest if part.strip())]).strip("\n")
        + "\n"
    )


def ends_complete(tree: ast.Module, name: str) -> bool:
    """Return whether a function is left on every way, so that nothing which counts can have been cut off."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return node is not tree.body[-1] or _leaves(node.body)
    return True


def _leaves(body: Iterable[ast.stmt]) -> bool:
    return any(
        isinstance(node, ast.Return | ast.Raise)
        or (isinstance(node, ast.If) and _leaves(node.body) and _leaves(node.orelse))
        or (isinstance(node, ast.With) and _leaves(node.body))
        for node in body
    )


def to_first_return(code: str) -> Iterator[str]:
    """Yield code up to each plain return of its function, one line more at a time where it may go on over lines."""
    lines = code.split("\n")
    indent = next((_indent(line) for line in lines[1:] if line.strip()), "")
    for number, line in enumerate(lines):
        if indent and line.startswith(f"{indent}return") and _indent(line) == indent:
            yield from (
                "\n".join(lines[:end]) + "\n" for end in range(number + 1, number + 1 + _LONGEST_RETURN)
            )


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _compiled(code: str) -> ast.Module | None:
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
            compile(tree, "answer", "exec", dont_inherit=True)  # a ``return`` outside a function parses, too
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None
    return tree


def _is_stub(tree: ast.Module, name: str) -> bool:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            real = [part for part in node.body if not _says_nothing(part)]
            return not real
    return False


def _says_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _is_demo(node: ast.stmt, entry: str) -> bool:
    if isinstance(node, ast.Assert) or (isinstance(node, ast.If) and "__name__" in _loaded(node.test)):
        return True
    called = _called(node)
    if isinstance(node, ast.Expr):
        return bool(called & {*_DEMO_CALLS, entry}) or any(map(_DEMO_NAME.match, called))
    if isinstance(node, ast.For | ast.While):
        return bool(called & {"input", "print", entry})
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.With | ast.Try | ast.If):
        return bool(called & {"input", entry})
    return False


def _called(node: ast.AST) -> set[str]:
    """Return the names that are called, methods that only demonstrations call among them; not inside definitions."""
    names: set[str] = set()
    queue: list[ast.AST] = [node]
    while queue:
        item = queue.pop()
        if isinstance(item, Named | ast.Lambda):
            continue
        if isinstance(item, ast.Call) and isinstance(item.func, ast.Name):
            names.add(item.func.id)
        elif (
            isinstance(item, ast.Call)
            and isinstance(item.func, ast.Attribute)
            and item.func.attr in _DEMO_METHODS
        ):
            names.add("main")
        queue += ast.iter_child_nodes(item)
    return names


def _loaded(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _lines(node: ast.stmt) -> range:
    decorators = node.decorator_list if isinstance(node, Named) else []
    first = min([node.lineno, *(d.lineno for d in decorators)])
    return range(first, (node.end_lineno or node.lineno) + 1)
