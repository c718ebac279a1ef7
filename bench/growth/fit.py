"""How a cost grows: the exponent of a power of the size, fitted to logarithms. 1 is linear, 2 quadratic."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """By least squares. Costs too small to be told from nothing count as a millionth of a second."""
    xs = [math.log(size) for size in sizes]
    ys = [math.log(max(cost, 1e-6)) for cost in costs]
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / sum(
        (x - middle_x) ** 2 for x in xs
    )


@dataclass(frozen=True)
class Line:
    """Costs are CPU seconds. What a small request costs anyhow hides growth, so the largest two count by themselves."""

    name: str
    unit: str
    cost: str  # what the costs are of
    sizes: list[int]
    costs: list[float]

    @property
    def exponent(self) -> float:
        return exponent(self.sizes, self.costs)

    @property
    def at_the_end(self) -> float:
        return exponent(self.sizes[-2:], self.costs[-2:])
