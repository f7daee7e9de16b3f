"""Runs tests in the form of Python asserts. The program under test runs in another sandbox: its names are stand-ins.

Only data comes back from there, so nothing that the program does can make a comparison here come out true. An object
that is not data stays there; here it is a ``Remote``, whose methods and attributes are asked for.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import operator
import sys
import traceback
import types

from playground.bench.sandbox.inside.walls import put_up
from playground.bench.sandbox.inside.wire import Channel, decode, encode

TYPE_CHECKING = False  # typing itself takes time to import
if TYPE_CHECKING:
    from playground.bench.sandbox.inside.wire import Value

_FILE = "tests.py"
_ENDS_LOOPS = (
    "StopIteration",
    "StopAsyncIteration",
    "GeneratorExit",
)  # these would end a loop over calls silently
_SETTING_UP = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
    ast.Assign,
    ast.AnnAssign,
)


class SolutionError(Exception):
    """The program raised something that Python does not have."""


class Line:
    """The way to the program, through the judge. Remembers the last call for the report."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self.last = channel, ""
        self._functions: list[Value] = []

    def _sent(self, value: Value) -> Value:
        if type(value) is Remote:
            return {"h": [object.__getattribute__(value, "_number"), ""]}
        if type(value) is Attribute:
            return encode(value.now(), self._sent)
        if callable(value):
            self._functions.append(value)
            return {"c": len(self._functions) - 1}
        raise TypeError(
            f"a {type(value).__name__} cannot be given to the program: only data and functions can"
        )

    def _got(self, _mark: str, content: Value) -> Value:
        return Remote(self, content[0])

    def ask(self, shown: str, **question: Value) -> Value:
        """Ask the program; return its answer and what became of the arguments. Raises what it raised."""
        self._channel.send({"ask": question})
        while True:
            reply = self._channel.receive()
            if "back" not in reply:
                break
            self._channel.send({"ask": self._called_back(reply)})
        if "exc" in reply:
            self.last = f"{shown} raised {reply['exc'][0]}: {reply['msg']}"
            raise _raised(reply)
        value = decode(reply["ret"], self._got)
        self.last = f"{shown} -> {value!r:.300}"
        return value, reply.get("args")

    def call(self, shown: str, args: Value, named: Value, **target: Value) -> Value:
        """Call something of the program. Lists, dicts and sets that it changed in place change here too."""
        sent = [encode(item, self._sent) for item in args]
        changeable = any(type(item) in (list, dict, set) for item in args)
        value, left = self.ask(
            f"{shown}({', '.join(f'{item!r:.200}' for item in args)})",
            args=sent,
            named={name: encode(item, self._sent) for name, item in named.items()},
            **target,
            **({"changes": 1} if changeable else {}),
        )
        for item, before, after in zip(args, sent, left or ()):  # noqa: B905 -- Python 3.8 has no strict
            if after != before and after is not None:
                _change(item, after)
        return value

    def _called_back(self, request: Value) -> Value:
        try:
            args = [decode(item, self._got) for item in request["args"]]
            named = {name: decode(item, self._got) for name, item in request["named"].items()}
            return {"ret": encode(self._functions[request["back"]](*args, **named), self._sent)}
        except Exception as error:  # noqa: BLE001 -- goes to the program, as any exception of a function does
            return {"exc": [type(error).__name__], "msg": str(error)[:300]}


def _raised(reply: Value) -> Exception:
    for name in reply["exc"]:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception) and name not in (*_ENDS_LOOPS, "Exception"):
            try:
                return kind(reply["msg"])
            except TypeError:  # UnicodeDecodeError and the like want more than a text
                continue
    return SolutionError(f"{reply['exc'][0]}: {reply['msg']}")


def _change(item: Value, after: Value) -> None:
    try:
        new = decode(after)
    except ValueError:
        return
    if type(item) is list and type(new) is list:
        item[:] = new
    elif type(item) in (dict, set) and type(new) is type(item):
        item.clear()
        item.update(new)


class Remote:
    """An object of the program. Equal only to an object of the program that says so itself."""

    _line: Line
    _number: int

    def __init__(self, line: Line, number: int) -> None:
        object.__setattr__(self, "_line", line)
        object.__setattr__(self, "_number", number)

    def __getattr__(self, name: str) -> Attribute:
        if name.startswith("__"):
            raise AttributeError(name)
        return Attribute(self._line, self._number, name)

    def _special(self, name: str, *args: Value) -> Value:
        return self._line.call(name, args, {}, h=self._number, path=[name])

    def __eq__(self, other: object) -> bool:
        return type(other) is Remote and self._special("__eq__", other) is True

    def __len__(self) -> int:
        return int(self._special("__len__"))

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Value:
        return iter(self._line.ask("iter", h=self._number, list=1)[0])

    def __getitem__(self, key: Value) -> Value:
        return self._special("__getitem__", key)

    def __setitem__(self, key: Value, value: Value) -> None:
        self._special("__setitem__", key, value)

    def __next__(self) -> Value:
        return self._special("__next__")

    def __contains__(self, item: Value) -> bool:
        return item in list(iter(self))  # its own word is not taken for it

    def __str__(self) -> str:
        return str(self._special("__str__"))

    def __repr__(self) -> str:
        return f"<object {self._number} of the program>"

    def __call__(self, *args: Value, **named: Value) -> Value:
        """Call the object."""
        return self._line.call("object", args, named, h=self._number)

    __hash__ = None  # type: ignore[assignment]


class Attribute:
    """A method or a value of a remote object: which of them, its use tells."""

    def __init__(self, line: Line, number: int, name: str) -> None:
        self._line, self._number, self._name = line, number, name

    def now(self) -> Value:
        """Return the value."""
        return self._line.ask(self._name, h=self._number, path=[self._name])[0]

    def __call__(self, *args: Value, **named: Value) -> Value:
        """Call the method."""
        return self._line.call(self._name, args, named, h=self._number, path=[self._name])

    def __getattr__(self, name: str) -> Value:
        return getattr(self.now(), name)

    def __repr__(self) -> str:
        return repr(self.now())

    __hash__ = None  # type: ignore[assignment]


def _forwarded(action: Value) -> Value:
    return lambda self, *args: action(self.now(), *args)


def _reflected(action: Value) -> Value:
    return lambda self, other: action(other, self.now())


for _name in (
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "getitem",
    "contains",
    "add",
    "sub",
    "mul",
    "truediv",
    "mod",
    "neg",
):
    setattr(Attribute, f"__{_name}__", _forwarded(getattr(operator, _name)))
for _name in ("add", "sub", "mul", "truediv"):
    setattr(Attribute, f"__r{_name}__", _reflected(getattr(operator, _name)))
for _action in (len, iter, abs, round, int, float, str, bool):
    setattr(Attribute, f"__{_action.__name__}__", _forwarded(_action))


def _stand_ins(line: Line, names: Value) -> dict[str, Value]:
    def function(name: str) -> Value:
        return lambda *args, **named: line.call(name, args, named, name=name)

    return {
        name: function(name)
        if given is None
        else decode(given[0], lambda _, content: Remote(line, content[0]))
        for name, given in names.items()
    }


class Suite:
    """The tests' text, run piece by piece: each statement that tests something is a case, and so is each ``test_*``."""

    def __init__(self, text: str, names: dict[str, Value], line: Line, channel: Channel) -> None:
        self._text, self._names, self._line, self._channel = text, names, line, channel
        linecache.cache[_FILE] = (len(text), None, text.splitlines(True), _FILE)

    def run(self, entry_point: str) -> None:
        """Run everything. A statement that only sets up is a case when it fails."""
        given = set(self._names)
        for node in ast.parse(self._text, _FILE).body:
            is_case = not isinstance(node, _SETTING_UP) and not _is_text(node)
            code = compile(ast.Module([node], []), _FILE, "exec")
            is_fine = self._passes(f"line {node.lineno}", lambda code=code: self._run(code), is_case)
            if not is_fine and not is_case:
                return
        for name, found in list(self._names.items()):
            if name.startswith("test") and callable(found) and name not in given:
                self._passes(name, found, is_case=True)
        if "check" in self._names and "check" not in given and not _calls(self._text, "check"):
            self._passes("check", lambda: self._names["check"](self._names[entry_point]), is_case=True)

    def _run(self, code: Value) -> None:
        exec(code, self._names)  # noqa: S102 -- this is the sandbox

    def _passes(self, name: str, action: Value, is_case: bool) -> bool:
        self._line.last = ""
        try:
            action()
        except BaseException as error:  # noqa: BLE001 -- whatever a test raises is its word
            self._channel.send({"case": name, "ok": False, "line": _line_of(error), **self._report(error)})
            return False
        if is_case:
            self._channel.send({"case": name, "ok": True})
        return True

    def _report(self, error: BaseException) -> dict[str, str]:
        said = "".join(traceback.format_exception_only(type(error), error)).strip()
        return {"error": said[:500], "kind": type(error).__name__, "last": self._line.last[:600]}


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _calls(text: str, name: str) -> bool:
    return any(
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") == name
        for node in ast.parse(text).body
    )


def _line_of(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == _FILE]
    return (frames[-1].line or "")[:500] if frames else ""


def main(config: Value) -> None:
    """Set the walls, run the tests, report each."""
    channel = Channel()
    put_up(config)
    channel.send({"ready": 1})
    line = Line(channel)
    stand_ins = _stand_ins(line, channel.receive()["names"])
    module = types.ModuleType("solution")
    module.__dict__.update(stand_ins)
    sys.modules["solution"] = module
    names = {"__name__": "tests", "__file__": _FILE, **stand_ins}
    if config["entry_point"] in stand_ins:
        names.setdefault("candidate", stand_ins[config["entry_point"]])
    try:
        Suite(config["tests"], names, line, channel).run(config["entry_point"])
    except SyntaxError as error:
        channel.send(
            {
                "case": "tests",
                "ok": False,
                "error": f"the tests are no Python: {error}"[:300],
                "kind": "Syntax",
            }
        )
    channel.send({"done": 1})
    channel.receive()
