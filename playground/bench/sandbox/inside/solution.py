"""Loads a Python program and answers calls to what it defines, with data only."""

from __future__ import annotations

from playground.bench.sandbox.inside.walls import put_up
from playground.bench.sandbox.inside.wire import Channel, decode, encode, failure, opaque

TYPE_CHECKING = False  # typing itself takes time to import
if TYPE_CHECKING:
    from playground.bench.sandbox.inside.wire import Value

_MOST_NAMES = 500


class Served:
    """The program's names, and the objects that it handed out (``h`` marks: number and name of the type)."""

    def __init__(self, channel: Channel, names: dict[str, Value], hands_out: bool) -> None:
        self._channel, self._names, self._id = channel, names, ""
        self._objects: list[Value] = []
        self._other = self._hand_out if hands_out else opaque

    def _hand_out(self, value: Value) -> Value:
        self._objects.append(value)
        return {"h": [len(self._objects) - 1, type(value).__name__[:80]]}

    def _take(self, mark: str, content: Value) -> Value:
        if mark == "h":
            return self._objects[content[0]]
        return lambda *args, **named: self._call_back(content, args, named)

    def _call_back(self, number: int, args: Value, named: Value) -> Value:
        """Call a function of the tests: they answer, or ask something else first."""
        sent = [
            [encode(item, self._other) for item in args],
            {k: encode(v, self._other) for k, v in named.items()},
        ]
        self._channel.send({"id": self._id, "back": number, "args": sent[0], "named": sent[1]})
        while True:
            message = self._channel.receive()
            self._id = message["id"]
            if "ret" in message:
                return decode(message["ret"], self._take)
            if "exc" in message:
                raise RuntimeError(str(message.get("msg"))[:500])
            self.answer(message)

    def names(self) -> dict[str, Value]:
        """Return the public names: None for what can be called, else the value."""
        found: dict[str, Value] = {}
        for name, value in list(self._names.items()):
            if not name.startswith("__") and type(value).__name__ != "module" and len(found) < _MOST_NAMES:
                found[name] = None if callable(value) else [encode(value, self._other)]
        return found

    def answer(self, message: Value) -> None:
        """Do what a message asks, and say what came of it."""
        self._id = message["id"]
        try:
            reply = self._reply(message)
        except BaseException as error:  # noqa: BLE001 -- also exits and interrupts: the program's, not ours
            reply = failure(error)
        reply["id"] = self._id
        try:
            self._channel.send(reply)
        except MemoryError as error:
            del reply["ret"]
            self._channel.send({**failure(error), "id": self._id})

    def _reply(self, message: Value) -> dict[str, Value]:
        target = self._names[message["name"]] if "name" in message else self._objects[message["h"]]
        for step in message.get("path", ()):
            target = getattr(target, step)
        if "args" not in message:
            return {"ret": encode(list(target) if message.get("list") else target, self._other)}
        args = decode(message["args"], self._take)
        named = {name: decode(item, self._take) for name, item in message.get("named", {}).items()}
        reply = {"ret": encode(target(*args, **named), self._other)}
        if message.get("changes"):
            reply["args"] = [encode(item, lambda _: None) for item in args]
        return reply


def main(config: Value) -> None:
    """Set the walls, run the program's text, then answer until the judge has no more calls."""
    channel = Channel()
    put_up(config)
    channel.send({"ready": 1})
    names: dict[str, Value] = {"__name__": "solution", "__builtins__": __builtins__}
    served = Served(channel, names, config["hands_out"])
    try:
        exec(compile(config["code"], "solution.py", "exec"), names)  # noqa: S102 -- this is the sandbox
        loaded = {"names": served.names()} if config["hands_out"] else {}
    except BaseException as error:  # noqa: BLE001
        channel.send({"id": config["id"], **failure(error)})
        return
    channel.send({"id": config["id"], "loaded": config["entry_point"] in names, **loaded})
    while True:
        served.answer(channel.receive())
