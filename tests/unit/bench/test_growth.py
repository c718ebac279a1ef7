"""Cost grows with what a user sends and no faster: prompt, tools, history, answer. The proxy's part: bench/growth."""

import pytest

from bench.growth.fit import exponent
from bench.growth.inside import WORK, cost, line
from tests.sampling import first

MOST = 1.3  # linear is 1; sizes are far apart, so that twice the exponent is 1,000 times the cost


@pytest.mark.parametrize("name", first(WORK, 2))
def test_cost_grows_no_faster_than_the_size(name: str) -> None:
    for _ in range(3):  # others share the machine
        found = line(name, tries=3)
        if found.exponent < MOST and found.at_the_end < MOST:
            return
    pytest.fail(f"{found.name}: {found.sizes} {found.unit} cost {found.costs} s, exponent {found.exponent:.2f}")


def test_a_quadratic_cost_is_found() -> None:
    sizes = (200, 800, 3200)

    def pairs(size: int) -> int:
        return sum(1 for left in range(size) for right in range(size) if left == right)

    assert exponent(sizes, [cost(lambda size=size: pairs(size), 1) for size in sizes]) > 1.6  # type: ignore[misc]


@pytest.mark.parametrize("power", [0, 1, 2])
def test_the_exponent_is_that_of_the_power(power: int) -> None:
    assert exponent((10, 100, 1000), [3.0 * size**power for size in (10, 100, 1000)]) == pytest.approx(power)
