"""Makes docs/admin-ui.png, the picture in the README: `python -m tests.slow.ui.picture`.

Today's usage is that of real calls to the simulator. The six days before it are copies of today, each larger or
smaller, as nobody can have worked in the past.
"""

import re
import secrets
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from playwright.sync_api import Page, expect

from database.local import database
from simulator.client import Simulator
from tests.developers import ask, hire
from tests.harness import ROOT, Account, Server, clean_environment, running_gateway, running_simulator
from tests.slow.ui.admin import Admin
from tests.slow.ui.conftest import launched
from tests.waiting import eventually

PICTURE = ROOT / "docs" / "admin-ui.png"
QUESTION = "Explain this module to me. " * 1500
DEVELOPERS = ("ana", "bruno", "carla")
CALLS = {"stackspot-ai-code": 6, "stackspot-ai-chat": 2, "stackspot-ai-assistant": 2}
# How much each model was used on the days before today, from a week ago on, with today as 1.
WEEK = {
    "stackspot-ai-code": (0.3, 0.5, 0.9, 0.4, 0.3, 0.9),
    "stackspot-ai-chat": (0.2, 0.8, 1.0, 1.1, 1.2, 1.4),
    "stackspot-ai-assistant": (0.7, 1.1, 0.6, 0.6, 0.5, 0.4),
}
COUNTED = ("prompt_tokens", "completion_tokens", "api_requests", "successful_requests", "total_response_time_ms")
COPIED = ("user_id", "api_key", "model", "model_group", "custom_llm_provider", "mcp_namespaced_tool_name", "endpoint")
USAGE = '"LiteLLM_DailyUserSpend"'
REQUESTS = '"LiteLLM_DailyGatewayRequests"'


def work(gateway: Server) -> int:
    """Lets the developers ask; how many calls that were."""
    for name in DEVELOPERS:
        developer = hire(gateway, name)
        for model, calls in CALLS.items():
            for _ in range(calls):
                ask(gateway, developer, QUESTION, model).raise_for_status()
    return len(DEVELOPERS) * sum(CALLS.values())


def make_a_week(address: str, calls: int) -> None:
    """Copies today's usage to the days before it, once LiteLLM has written it."""
    with psycopg.connect(address.partition("?")[0], autocommit=True) as connection:
        for counted in (f"sum(api_requests) FROM {USAGE}", f"sum(successful_requests) FROM {REQUESTS}"):
            written = f"SELECT {counted}"
            eventually(lambda w=written: (connection.execute(w).fetchone() or [0])[0] == calls, counted, 180)  # type: ignore[misc]
        today = datetime.now(UTC).date()
        for model, factors in WEEK.items():
            for days, factor in enumerate(reversed(factors), start=1):
                date = str(today - timedelta(days=days))
                names = ", ".join(("id", "date", *COPIED, *COUNTED, "timed_requests", "spend", "updated_at"))
                scaled = ", ".join(f"({name} * {factor})::bigint" for name in (*COUNTED, "timed_requests"))
                copied = connection.execute(
                    f"INSERT INTO {USAGE} ({names}) SELECT gen_random_uuid()::text, %s, {', '.join(COPIED)}, {scaled}, "  # noqa: S608
                    f"spend * {factor}, now() FROM {USAGE} WHERE date = %s AND model_group = %s",
                    (date, str(today), model),
                )
                assert copied.rowcount == len(DEVELOPERS), f"{copied.rowcount} rows of {model}"
        connection.execute(
            f"INSERT INTO {REQUESTS} (date, category, route, successful_requests, updated_at) "  # noqa: S608
            f"SELECT used.date, calls.category, calls.route, sum(used.successful_requests), now() "
            f"FROM {USAGE} AS used, {REQUESTS} AS calls WHERE used.date <> %s AND calls.date = %s GROUP BY 1, 2, 3",
            (str(today), str(today)),
        )


def take(page: Page, gateway: Server, folder: Path) -> None:
    admin = Admin(page, gateway, folder)
    admin.sign_in(gateway.ui_password)
    admin.go_to("Usage")
    for model in CALLS:
        expect(page.get_by_text(model, exact=True).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\$\d+\.\d\d$")).first).to_be_visible()
    page.wait_for_timeout(3000)  # the bars grow
    top = page.get_by_text("$1.00 here is one million tokens").bounding_box()
    assert top
    page.screenshot(path=PICTURE, clip={"x": 280, "y": top["y"] - 12, "width": 1160, "height": 957})


def main() -> None:
    account, password = Account.new(), secrets.token_urlsafe(12)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with (
            running_simulator(account, folder / "simulator.log") as simulator,
            database(ROOT, clean_environment({}), folder / "postgres") as variables,
        ):
            environ = {**account.for_gateway(simulator.url), **variables, "LITELLM_SALT_KEY": secrets.token_urlsafe(24)}
            environ |= {"UI_USERNAME": "admin", "UI_PASSWORD": password}
            with (
                running_gateway(environ, folder / "gateway.log", cold=True) as started,
                Simulator(simulator.url) as switches,
                launched() as browser,
            ):
                switches.reset()
                gateway = Server(started.url, started.process, started.log, started.key, password)
                make_a_week(variables["DATABASE_URL"], work(gateway))
                take(browser.new_page(viewport={"width": 1440, "height": 1200}), gateway, folder)
    print(f"Wrote {PICTURE.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
