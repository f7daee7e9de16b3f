"""Runs one SQL query on a fresh in-memory database for each request of the judge."""

from __future__ import annotations

import sqlite3

from playground.bench.sandbox.inside.walls import put_up
from playground.bench.sandbox.inside.wire import Channel, encode, failure

TYPE_CHECKING = False  # typing itself takes time to import
if TYPE_CHECKING:
    from playground.bench.sandbox.inside.wire import Value

_MOST_ROWS = 5000
_READING = (20, 21, 31, 33)  # SQLITE_READ, _SELECT, _FUNCTION, _RECURSIVE


def _only_reading(action: int, *_: Value) -> int:
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY


def _rows(setup: str, code: str) -> Value:
    database = sqlite3.connect(":memory:")
    try:
        database.executescript(setup)
        database.set_authorizer(_only_reading)
        rows = database.execute(code).fetchmany(_MOST_ROWS + 1)
    finally:
        database.close()
    if len(rows) > _MOST_ROWS:
        raise ValueError(f"the query returns more than {_MOST_ROWS} rows")
    return [list(row) for row in rows]


def main(config: Value) -> None:
    """Set the walls, then answer one request after the other."""
    channel = Channel()
    put_up(config)
    channel.send({"ready": 1})
    while True:
        request = channel.receive()
        try:
            reply = {"ret": encode(_rows(request["setup"], config["code"]))}
        except Exception as error:  # noqa: BLE001 -- whatever the query did is its own fault
            reply = failure(error)
        channel.send({"id": request["id"], **reply})
