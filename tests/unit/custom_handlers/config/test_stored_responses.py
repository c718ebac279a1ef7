"""How long answers are kept, as the environment sets it."""

import os

import pytest

from custom_handlers import stackspot_config
from custom_handlers.config.stored_responses import MINUTES, MOST_MINUTES, read_minutes
from custom_handlers.core.errors import ConfigurationError
from custom_handlers.litellm_adapter import process
from tests.harness import ROOT, Account


@pytest.mark.parametrize(
    ("text", "minutes"), [("", 0), (" ", 0), ("0", 0), ("30", 30), (str(MOST_MINUTES), MOST_MINUTES)]
)
def test_it_is_off_unless_it_is_set(text: str, minutes: int) -> None:
    mistakes: list[str] = []
    assert read_minutes({MINUTES: text}, mistakes) == minutes
    assert mistakes == []


@pytest.mark.parametrize("text", ["-1", "1.5", "yes", "²", str(MOST_MINUTES + 1), "9" * 30])
def test_a_mistake_is_told_with_its_name(text: str) -> None:
    mistakes: list[str] = []
    assert read_minutes({MINUTES: text}, mistakes) == 0
    assert mistakes == [f"{MINUTES} must be a whole number from 0 to 43200."]


@pytest.mark.parametrize(
    "file", [".env.example", "docs/configuration.md", "docker-compose.yml", "docs/security.md", "docs/privacy.md"]
)
def test_it_is_documented(file: str) -> None:
    assert MINUTES in (ROOT / file).read_text()


def test_several_workers_need_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the other mistakes of the start."""
    environ = {**Account.new().for_gateway("http://127.0.0.1:1"), MINUTES: "30", "STACKSPOT_BURST": "none"}
    for name in [name for name in os.environ if name.startswith(("STACKSPOT_", "REDIS_"))]:
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(process, "workers", lambda: 2)
    with pytest.raises(ConfigurationError) as caught:
        stackspot_config._checked(None)
    assert [mistake.split()[0] for mistake in caught.value.mistakes] == ["STACKSPOT_BURST", MINUTES]
    monkeypatch.setenv("REDIS_HOST", "127.0.0.1")
    with pytest.raises(ConfigurationError) as caught:
        stackspot_config._checked(None)
    assert [mistake.split()[0] for mistake in caught.value.mistakes] == ["STACKSPOT_BURST"]
