"""`demo`: the whole gateway on this machine, with the simulator as StackSpot, and a tour of it.

agent    a coding agent, as small as can be
project  the repository that it works on

`--once` ends after the tour; otherwise the gateway stays up until Ctrl-C. Nothing of it outlives the demo.
"""

import json
import os
import secrets
import shutil
import signal
import textwrap
import time
from contextlib import ExitStack

import httpx

from database.local import database
from gateway import addresses, ports
from gateway.demo import agent, project
from gateway.environment import clean_environment
from gateway.failures import GatewayError, interrupt_once
from gateway.keys import DEFAULTS, make_key
from gateway.locks import alone
from gateway.management import Gateway
from gateway.processes import ALL_NAMES, Account, Server, free_port, running_gateway, running_simulator
from gateway.progress import step
from gateway.project import ROOT
from gateway.teams import make_team

FOLDER = ROOT / ".data" / "demo"
DEVELOPER, TEAM = "dev1", "backend"
USUALLY = "This takes about half a minute, and about two minutes the first time."
QUESTION = "What is StackSpot AI?"
SIMULATED = ("--pace", "0.04", "--model", "demo")
WIDTH = 100
CURL = """curl "$OPENAI_BASE_URL/chat/completions" -H "Authorization: Bearer $OPENAI_API_KEY" \\
    -H "Content-Type: application/json" \\
    -d '{"model": "stackspot", "messages": [{"role": "user", "content": "Hi"}]}'"""


def main(*, once: bool) -> int:
    interrupt_once()
    chosen = port()
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with alone(FOLDER.with_suffix(".lock")) as free:
        if not free:
            raise GatewayError(
                "Another `make demo` runs from this folder: stop it first, as both would use .data/demo."
            )
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir()
        try:
            show(chosen, stay=not once)
        except KeyboardInterrupt:
            print()
    say("Stopped.")
    return 0


def show(chosen: int, *, stay: bool) -> None:
    """Starts everything, makes the tour, and ends everything, at the latest with Ctrl-C."""
    account, password = Account.new(), secrets.token_urlsafe(9)
    print(USUALLY, flush=True)
    with ExitStack() as running:
        with step("Starting the StackSpot simulator"):
            simulator = running.enter_context(running_simulator(account, FOLDER / "simulator.log", *SIMULATED))
        variables = running.enter_context(database(ROOT, clean_environment({}), FOLDER / "postgres"))
        environ = {
            **account.for_gateway(simulator.url),
            "STACKSPOT_REQUESTS_PER_MINUTE": "100",
            **variables,
            "UI_USERNAME": "admin",
            "UI_PASSWORD": password,
            "LITELLM_SALT_KEY": secrets.token_urlsafe(24),
        }
        with step("Starting the gateway: the stock LiteLLM Proxy with litellm_config.yaml"):
            gateway = running.enter_context(running_gateway(environ, FOLDER / "gateway.log", port=chosen))
        try:
            tour(gateway, password)
        except httpx.HTTPError as error:
            raise GatewayError(f"The tour broke off ({error}); {gateway.log} says why.") from None
        if stay:
            say("The gateway stays up; Ctrl-C ends it.")
            signal.pause()


def tour(gateway: Server, password: str) -> None:
    with httpx.Client(base_url=gateway.url, timeout=60, trust_env=False) as client:
        admin = {"Authorization": f"Bearer {gateway.key}"}
        say("The gateway is ready. Its six names:")
        for name in ALL_NAMES:
            print(f"  {name:<24}{ask(client, name, admin)}")
        say(f"The same, streamed:  {QUESTION}")
        stream(client, admin)
        management = Gateway(gateway.url, gateway.key)
        make_team(management, TEAM, {"max_budget": 10})
        wanted = {**DEFAULTS, "max_budget": 1, "team_id": TEAM}
        developer = make_key(management, DEVELOPER, wanted)["key"]
        say(f"A virtual key for the developer {DEVELOPER} of the team {TEAM}, with a budget of one million tokens.")
        print("  A coding agent works with it, on a small repository whose tests fail:")
        cost = code(client, developer)
        print(f"  spent so far: {spend(client, developer, cost):.6f} of 1 (millions of tokens)")
        say("How to go on:")
        print(f"  admin UI: {gateway.url}/ui   login: admin / {password}   (Usage and Logs show what was just done)")
        print(f"  master key, for the management API: {gateway.key}")
        print(f"  export OPENAI_BASE_URL={gateway.url}/v1 OPENAI_API_KEY={developer}")
        print(f"  {CURL}")


def code(client: httpx.Client, key: str) -> float:
    """Shows a coding agent at its work; what it cost, in units of spend."""
    folder, turns, tokens, cost = FOLDER / "project", 0, 0, 0.0
    project.lay_out(folder)
    print(f"\n  > {project.TASK}")
    for turn in agent.work(client, key, "stackspot-code", project.TASK, folder):
        turns, tokens, cost = turns + 1, tokens + turn.tokens, cost + turn.cost
        print(f"\n  {turn.says}" if turn.says else "")
        for call, result in turn.calls:
            print(f"    {shorten(call)}  ->  {shorten(result)}", flush=True)
    print(f"\n  {turns} requests, {tokens:,} tokens; the files are in {folder.relative_to(ROOT)}.")
    return cost


def shorten(text: str) -> str:
    """One line of it, cut between words."""
    return textwrap.shorten(text, WIDTH // 2, placeholder=" ...")


def ask(client: httpx.Client, model: str, headers: dict[str, str]) -> str:
    body = {"model": model, "messages": [{"role": "user", "content": QUESTION}]}
    response = client.post("/v1/chat/completions", headers=headers, json=body)
    response.raise_for_status()
    answer: str = response.json()["choices"][0]["message"]["content"]
    return textwrap.shorten(answer, WIDTH - 26, placeholder=" ...")


def stream(client: httpx.Client, headers: dict[str, str]) -> None:
    body = {"model": "stackspot", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    print("  ", end="")
    with client.stream("POST", "/v1/chat/completions", headers=headers, json=body) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                choices = json.loads(line.removeprefix("data: "))["choices"]
                print(choices[0]["delta"].get("content") or "", end="", flush=True)
    print()


def spend(client: httpx.Client, key: str, cost: float) -> float:
    """The key's spend, once LiteLLM has written all of `cost` (it collects spend for some seconds)."""
    for _ in range(60):
        info = client.get("/key/info", headers={"Authorization": f"Bearer {key}"}).json()["info"]
        if info["spend"] > cost * 0.999:
            break
        time.sleep(0.5)
    return float(info["spend"])


def port() -> int:
    """GATEWAY_PORT, when nobody else listens there; any free one without it."""
    if not os.environ.get("GATEWAY_PORT"):
        return free_port()
    chosen = addresses.port(os.environ)
    ports.require_free("127.0.0.1", chosen)
    return chosen


def say(text: str) -> None:
    print(f"\n{text}", flush=True)
