"""The pages of the admin UI that a platform engineer lives on."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.harness import AGENTS
from tests.slow.ui.admin import Admin
from tests.slow.ui.conftest import Team


def test_a_wrong_password_does_not_open_it(page: Page, team: Team, pictures: Path) -> None:
    stranger = Admin(page, team.gateway, pictures)
    stranger.try_to_sign_in("wrong")
    expect(page.get_by_text(re.compile("invalid", re.IGNORECASE)).first).to_be_visible()
    assert "/login" in page.url


def test_it_says_what_a_unit_of_spend_is(admin: Admin) -> None:
    expect(admin.page.get_by_text("$1.00 here is one million tokens")).to_be_visible()


def test_the_keys_are_listed_by_their_aliases_with_what_they_spent(admin: Admin, team: Team) -> None:
    admin.go_to("Virtual Keys")
    for work in team.work:
        admin.page.get_by_placeholder("Search by key alias or ID").fill(work.developer.name)
        row = admin.row(f"{work.developer.name}-laptop")
        expect(row).to_have_count(1)
        expect(row).to_contain_text(f"${work.tokens / 1_000_000:.4f} of $5")
    admin.page.get_by_placeholder("Search by key alias or ID").fill("")
    for work in team.work:
        expect(admin.row(f"{work.developer.name}-laptop")).to_be_visible()
    admin.picture("admin-ui-keys")


def test_the_usage_page_has_both_developers_and_all_models(admin: Admin, team: Team) -> None:
    admin.go_to("Usage")
    for model in AGENTS:
        expect(admin.page.get_by_text(model, exact=True).first).to_be_visible()
    admin.picture("admin-ui-usage")
    admin.open_tab("User Activity")
    for work in team.work:
        spend, calls = re.escape(f"${work.tokens / 1_000_000:.2f}"), work.calls
        line = admin.page.get_by_role("listitem").filter(has_text=work.developer.name)
        figures = re.compile(rf"{work.developer.name}\s+{spend}\s+{calls}\s+{calls}\s+0\s")  # none failed
        expect(line).to_have_text(figures, use_inner_text=True)
    admin.picture("admin-ui-usage-developers")
    admin.open_tab("Model Activity")
    for model in AGENTS:
        expect(admin.page.get_by_role("tabpanel").get_by_text(model, exact=True).first).to_be_visible()
    admin.picture("admin-ui-usage-models")


def test_the_models_are_there_with_their_prices(admin: Admin) -> None:
    admin.go_to("Models + Endpoints")
    for model in AGENTS:
        expect(admin.row(model, "IN", "$1.00")).to_have_count(1)
    admin.picture("admin-ui-models")
