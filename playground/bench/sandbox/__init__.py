"""The sandbox: walls around a stranger's program, chosen by trial. ``probe()`` finds the strongest that works here."""

from playground.bench.sandbox.probe import probe
from playground.bench.sandbox.values import Backend, Sandbox

__all__ = ["Backend", "Sandbox", "probe"]
