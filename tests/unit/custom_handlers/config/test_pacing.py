"""The account's pace, as the environment sets it."""

import pytest

from custom_handlers.config.pacing import VARIABLES, read_quota
from custom_handlers.pacing.quota import Quota
from tests.harness import ROOT


def test_unset_means_the_defaults() -> None:
    mistakes: list[str] = []
    assert read_quota({"STACKSPOT_BURST": " "}, mistakes) == Quota(100, 5, 60, 1000)
    assert mistakes == []


def test_each_can_be_set_and_zero_means_no_limit() -> None:
    environ = {name: str(at) for at, name in enumerate(VARIABLES, 1)}
    assert read_quota(environ, []) == Quota(1, 2, 3, 4)
    assert read_quota(environ | {"STACKSPOT_REQUESTS_PER_MINUTE": "0"}, []) is None


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("value", ["-1", "1.5", "many", "²", "1e3", "9" * 30])
def test_a_mistake_is_told_with_its_name(name: str, value: str) -> None:
    mistakes: list[str] = []
    assert read_quota({name: value}, mistakes) == Quota()
    assert len(mistakes) == 1
    assert mistakes[0].startswith(f"{name} must be a whole number from ")


@pytest.mark.parametrize("file", [".env.example", "docs/configuration.md", "docker-compose.yml"])
def test_all_are_documented(file: str) -> None:
    assert [name for name in VARIABLES if name not in (ROOT / file).read_text()] == []


def test_the_example_names_the_defaults() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    shown = dict(line[1:].split("=") for line in lines if line[1:].partition("=")[0] in VARIABLES)
    assert read_quota(shown, []) == Quota()
    assert shown.keys() == {*VARIABLES}
