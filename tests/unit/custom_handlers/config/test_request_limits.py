"""The limits of the guard, as the environment sets them."""

import pytest

from custom_handlers.config.request_limits import VARIABLES, RequestLimits, read_limits
from tests.harness import ROOT


def test_unset_means_the_defaults() -> None:
    mistakes: list[str] = []
    assert read_limits({"STACKSPOT_MAX_TOOLS": " "}, mistakes) == RequestLimits()
    assert mistakes == []


def test_each_can_be_set() -> None:
    environ = {name: str(at) for at, name in enumerate(VARIABLES, 1)}
    assert read_limits(environ, []) == RequestLimits(1, 2, 3, 4, 5)
    assert RequestLimits(max_body_mb=3).body_bytes == 3 * 1024 * 1024


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "²", "1e3", "9" * 30])
def test_a_mistake_is_reported_with_its_name(name: str, value: str) -> None:
    mistakes: list[str] = []
    assert read_limits({name: value}, mistakes) == RequestLimits()
    assert len(mistakes) == 1
    assert mistakes[0].startswith(f"{name} must be a whole number from 1 to ")


@pytest.mark.parametrize("file", [".env.example", "docs/configuration.md", "docker-compose.yml"])
def test_all_are_documented(file: str) -> None:
    assert [name for name in VARIABLES if name not in (ROOT / file).read_text()] == []


def test_the_example_names_the_defaults() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    shown = dict(line[1:].split("=") for line in lines if line[1:].partition("=")[0] in VARIABLES)
    assert read_limits(shown, []) == RequestLimits()
    assert shown.keys() == {*VARIABLES}
