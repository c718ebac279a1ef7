"""Makes docs/admin-ui.png and docs/commands.png: `python -m tests.slow.ui.picture`.

Today's usage is that of real calls to the simulator. The six days before it are copies of today, each larger or
smaller, as nobody can have worked in the past.
"""

import re
import secrets
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from playwright.sync_api import Page, expect

from database.local import database
from gateway.keys import DEFAULTS, make_key
from gateway.management import Gateway
from gateway.teams import make_team
from simulator.client import Simulator
from tests.developers import Developer, ask
from tests.harness import ROOT, Account, Server, clean_environment, running_gateway, running_simulator
from tests.slow.terminal import Command, draw
from tests.slow.ui.admin import Admin
from tests.slow.ui.conftest import launched
from tests.waiting import eventually

PICTURE, COMMANDS = ROOT / "docs" / "admin-ui.png", ROOT / "docs" / "commands.png"
QUESTION = "Explain this module to me. " * 1500
DEVELOPERS = {"ana": 2, "bruno": 1, "carla": 3}  # how often each does the following
TEAM = "backend"
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
    management = Gateway(gateway.url, gateway.key)
    make_team(management, TEAM, {"max_budget": 100})
    for name, times in DEVELOPERS.items():
        developer = Developer(name, make_key(management, name, {**DEFAULTS, "team_id": TEAM})["key"])
        for model, calls in CALLS.items():
            for _ in range(calls * times):
                ask(gateway, developer, QUESTION, model).raise_for_status()
    return sum(DEVELOPERS.values()) * sum(CALLS.values())


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


def run(gateway: Server, *words: str) -> str:
    """What a command of the administrator prints."""
    environ = clean_environment({"GATEWAY_URL": gateway.url, "LITELLM_MASTER_KEY": gateway.key})
    command = [sys.executable, "-m", "gateway", *words]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout


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
                calls = work(gateway)
                make_a_week(variables["DATABASE_URL"], calls)
                take(browser.new_page(viewport={"width": 1440, "height": 1200}), gateway, folder)
                keys, usage = run(gateway, "keys", "list"), run(gateway, "usage")
    draw([Command("make keys", keys), Command("make usage", usage)], COMMANDS, most_columns=130)
    print(f"Wrote {PICTURE.relative_to(ROOT)} and {COMMANDS.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
