"""What the statistics promise, counted: coverage of 95 % intervals, false winners when one looks after every task.

Run: python -m tests.benchmarks.coverage [races]

Coverage is no simulation: the chance of every table is summed up. Needs numpy and scipy.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
from scipy import stats
from scipy.special import gammaln

from playground.bench.statistics.paired import Table, mcnemar, posterior, tango
from playground.bench.statistics.proportions import wilson
from tests.benchmarks import result

_TASKS = (20, 50, 164)
_CELLS = ((0.05, 0.10), (0.05, 0.05), (0.10, 0.10), (0.15, 0.15), (0.05, 0.25), (0.02, 0.02), (0.02, 0.12))
_RAREST = 1e-5


def main() -> None:
    """Print the coverage of each interval and the share of false winners."""
    parser = result.arguments(__doc__)
    parser.add_argument("races", type=int, nargs="?", default=10_000)
    given = parser.parse_args()
    assert __spec__ is not None
    figures: dict[str, object] = {
        "difference": {
            f"only compact {small:.0%}, only larger {large:.0%}": {
                str(tasks): _coverage(tasks, small, large) for tasks in _TASKS
            }
            for small, large in _CELLS
        },
        "wilson": {str(tasks): _wilson(tasks) for tasks in _TASKS},
        "false_winners": _false_winners(given.races, 164, 0.15),
    }
    result.write("coverage", __spec__.name, figures)


@cache
def _interval(tasks: int, small: int, large: int, method: str) -> tuple[float, float]:
    table = Table(tasks - small - large, small, large, 0)
    found = posterior(table) if method == "posterior" else tango(table)
    return found.low - 1e-9, found.high + 1e-9


def _coverage(tasks: int, small: float, large: float) -> dict[str, float]:
    counts = np.array([(b, c) for b, c in product(range(tasks + 1), repeat=2) if b + c <= tasks])
    cells = np.column_stack([counts, tasks - counts.sum(1)])
    chances = stats.multinomial.pmf(cells, tasks, [small, large, 1 - small - large])
    kept = chances > _RAREST
    found = {}
    for method in ("posterior", "tango"):
        ends = np.array([_interval(tasks, int(b), int(c), method) for b, c in counts[kept]])
        held = (ends[:, 0] <= small - large) & (small - large <= ends[:, 1])
        found[method] = round(float(chances[kept] @ held / chances[kept].sum()), 3)
    return found


def _wilson(tasks: int) -> dict[str, float]:
    found = {}
    for share in (0.2, 0.5, 0.8, 0.95):
        chances = stats.binom.pmf(range(tasks + 1), tasks, share)
        ends = [wilson(k, tasks) for k in range(tasks + 1)]
        held = [p for p, each in zip(chances, ends, strict=True) if each.low <= share <= each.high]
        found[str(share)] = round(float(sum(held)), 3)
    return found


def _false_winners(races: int, tasks: int, discordance: float) -> dict[str, float]:
    """Return how many equal races ever claim a winner, looked at after every task."""
    kind = np.random.default_rng(1).random((races, tasks))
    wins = np.cumsum(kind < discordance / 2, axis=1)
    losses = np.cumsum((kind >= discordance / 2) & (kind < discordance), axis=1)
    n = wins + losses
    logs = n * np.log(2) - np.log(n + 1) - gammaln(n + 1) + gammaln(wins + 1) + gammaln(losses + 1)
    most = int(n.max()) + 1
    table = np.array([[mcnemar(w, lost) < 0.05 for lost in range(most)] for w in range(most)])
    return {
        "races": races,
        "p < 0.05 at each look": round(float(table[wins, losses].any(axis=1).mean()), 4),
        "e-value of 20": round(float((logs >= np.log(20)).any(axis=1).mean()), 4),
    }


if __name__ == "__main__":
    main()
