"""An administrator with a name: from the link to the UI, without the warning about a shared login."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.gateway.administration.conftest import make_for
from tests.harness import Account, Server, running_gateway
from tests.slow.ui.admin import PATIENCE_MS, Admin
from tests.slow.ui.conftest import Team, fresh

NAME, PASSWORD = "rui@example.com", "Correct-horse-42"
WARNING = "Environment-credential login is enabled"


@pytest.fixture(scope="module")
def named_only(
    account: Account, simulator_server: Server, database_variables: dict[str, str], logs: Path
) -> Iterator[Server]:
    environ = {**account.for_gateway(simulator_server.url), **database_variables, "LITELLM_SALT_KEY": "salt-of-this"}
    environ |= {"UI_USERNAME": "admin", "UI_PASSWORD": "shared-password", "STACKSPOT_NAMED_LOGINS_ONLY": "true"}
    with running_gateway(environ, logs / "named-only-gateway.log") as server:
        yield replace(server, ui_password="shared-password")


def test_from_the_link_to_the_ui(browser: Browser, page: Page, named_only: Server, pictures: Path) -> None:
    made = make_for(named_only)("admin", f"NAME={NAME}")
    assert made.returncode == 0, made.stderr
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(made.stdout.strip())
    expect(page.get_by_label("Email Address")).to_have_value(NAME)  # only then is the form there to stay
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign Up", exact=True).click()
    expect(page.get_by_role("link", name="Virtual Keys", exact=True)).to_be_visible()

    with fresh(browser) as anew:  # as somebody who is not signed in
        admin = Admin(anew, named_only, pictures)
        admin.try_to_sign_in(named_only.ui_password)
        expect(anew.get_by_text("Invalid").first).to_be_visible()
        assert "/login" in anew.url
        admin.sign_in(PASSWORD, NAME)
        expect(anew.get_by_text("$1.00 here is one million tokens")).to_be_visible()
        expect(anew.get_by_text(WARNING)).to_have_count(0)


def test_with_the_shared_login_there_is_a_warning(admin: Admin, team: Team) -> None:
    """So that its absence above means something."""
    expect(admin.page.get_by_text(WARNING).first).to_be_visible()
