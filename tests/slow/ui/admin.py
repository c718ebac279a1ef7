"""LiteLLM's admin UI in a browser, as a platform engineer uses it."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.harness import Server

PATIENCE_MS = 60_000


class Admin:
    def __init__(self, page: Page, gateway: Server, pictures: Path) -> None:
        self.page = page
        self._gateway = gateway
        self._pictures = pictures
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)

    def sign_in(self, password: str, name: str = "admin") -> None:
        self.try_to_sign_in(password, name)
        self.page.wait_for_url(re.compile(r"/ui/?(\?.*)?$"))
        expect(self.page.get_by_role("link", name="Virtual Keys", exact=True)).to_be_visible()

    def try_to_sign_in(self, password: str, name: str = "admin") -> None:
        self.page.goto(f"{self._gateway.url}/ui")
        self.page.get_by_role("textbox", name="Username").fill(name)
        self.page.get_by_role("textbox", name="Password").fill(password)
        self.page.get_by_role("button", name="Login", exact=True).click()

    def go_to(self, entry: str) -> None:
        """By the entry's name in the menu."""
        self.page.get_by_role("link", name=entry, exact=True).click()

    def open_tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).click()

    def row(self, *texts: str) -> Locator:
        """The row of a table that holds all of the texts."""
        row = self.page.get_by_role("row")
        for text in texts:
            row = row.filter(has_text=text)
        return row

    def picture(self, name: str) -> None:
        self.page.screenshot(path=self._pictures / f"{name}.png")
