"""A headless browser, and a gateway in which two developers have worked."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.developers import Developer, ask, hire, spend
from tests.harness import AGENTS, ROOT, Server
from tests.slow.ui.admin import Admin
from tests.waiting import eventually

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Long enough that these two lead every list by spend, whatever other tests of the run did at the same gateway.
QUESTION = "Explain this module to me. " * 3000


def program() -> str | None:
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


@contextmanager
def launched() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program(), args=FLAGS)
        yield chromium
        chromium.close()


@dataclass(frozen=True)
class Work:
    """What a developer has done at the gateway."""

    developer: Developer
    calls: int
    tokens: int


@dataclass(frozen=True)
class Team:
    gateway: Server
    work: list[Work]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Per module: while Playwright runs, no asynchronous test can.
    if not program():
        pytest.skip("needs Chromium: apt-get install chromium")
    with launched() as chromium:
        yield chromium


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with fresh(browser) as page:
        yield page


@contextmanager
def fresh(browser: Browser) -> Iterator[Page]:
    """A page of a browser that has never been here; an error that a script does not handle fails the test."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


@pytest.fixture(scope="module")
def team(team_gateway_server: Server) -> Team:
    done = [work(team_gateway_server, name, rounds) for name, rounds in (("ana", 3), ("bruno", 2))]
    for one in done:
        eventually(
            lambda w=one: round(spend(team_gateway_server, w.developer) * 1_000_000) == w.tokens,  # type: ignore[misc]
            f"the {one.tokens} tokens of {one.developer.name} are recorded",
        )
    return Team(team_gateway_server, done)


def work(gateway: Server, name: str, rounds: int) -> Work:
    """Asks every model so many times."""
    developer, tokens = hire(gateway, name, max_budget=5), 0
    for model in list(AGENTS) * rounds:
        response = ask(gateway, developer, QUESTION, model)
        assert response.status_code == 200, response.text
        tokens += response.json()["usage"]["total_tokens"]
    return Work(developer, rounds * len(AGENTS), tokens)


@pytest.fixture(scope="session")
def pictures() -> Path:
    folder = ROOT / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def admin(page: Page, team: Team, pictures: Path) -> Admin:
    """The platform engineer, signed in."""
    admin = Admin(page, team.gateway, pictures)
    admin.sign_in(team.gateway.ui_password)
    return admin
