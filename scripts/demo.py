"""`make demo`: the whole gateway on this machine, with the simulator as StackSpot, and a tour of it.

ONCE=1 ends after the tour; otherwise the gateway stays up until Ctrl-C. Nothing of it outlives the demo.
"""

import json
import os
import secrets
import shutil
import signal
import sys
import time

import httpx

from scripts.banner import publish
from scripts.database import DatabaseError, database
from scripts.keys import ALLOWED_ROUTES
from scripts.management import Gateway
from scripts.processes import ALL_NAMES, ROOT, Account, Server, free_port, running_gateway, running_simulator

FOLDER = ROOT / ".data" / "demo"
QUESTION = "What is StackSpot AI?"


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    account, password = Account.new(), secrets.token_urlsafe(9)
    try:
        with running_simulator(account, FOLDER / "simulator.log", "--pace", "0.04") as simulator:
            say(f"The StackSpot simulator answers at {simulator.url}.")
            with database(ROOT, data=FOLDER / "postgres") as variables:
                environ = {**account.for_gateway(simulator.url), **variables}
                environ |= {
                    "UI_USERNAME": "admin",
                    "UI_PASSWORD": password,
                    "LITELLM_SALT_KEY": secrets.token_urlsafe(24),
                }
                say("Starting the gateway: the stock LiteLLM Proxy with litellm_config.yaml ...")
                with running_gateway(environ, FOLDER / "gateway.log", port=port()) as gateway:
                    tour(gateway, password)
                    if os.environ.get("ONCE") != "1":
                        say("The gateway stays up; Ctrl-C ends it.")
                        signal.pause()
    except KeyboardInterrupt:
        print()
    except DatabaseError as error:
        print(error, file=sys.stderr)
        return 1
    say("Stopped.")
    return 0


def tour(gateway: Server, password: str) -> None:
    with httpx.Client(base_url=gateway.url, timeout=60) as client:
        admin = {"Authorization": f"Bearer {gateway.key}"}
        say("The gateway is ready. Its six names:")
        for name in ALL_NAMES:
            print(f"  {name:<24}{ask(client, name, admin)}")
        say(f"The same, streamed:  {QUESTION}")
        stream(client, admin)
        developer = client.post(
            "/key/generate",
            headers=admin,
            json={"key_alias": "dev1", "max_budget": 1, "allowed_routes": ALLOWED_ROUTES},
        ).json()["key"]
        say("A virtual key for a developer, with a budget of one million tokens; asking with it:")
        print(f"  {ask(client, 'stackspot-code', {'Authorization': f'Bearer {developer}'})}")
        print(f"  spent so far: {spend(client, developer):.6f} of 1 (millions of tokens)")
        publish(Gateway(gateway.url, gateway.key))
        say("How to go on:")
        print(f"  export OPENAI_BASE_URL={gateway.url}/v1 OPENAI_API_KEY={developer}")
        print(f"  admin UI: {gateway.url}/ui   login: admin / {password}")
        print(f"  master key, for the management API: {gateway.key}")


def ask(client: httpx.Client, model: str, headers: dict[str, str]) -> str:
    body = {"model": model, "messages": [{"role": "user", "content": QUESTION}]}
    response = client.post("/v1/chat/completions", headers=headers, json=body)
    response.raise_for_status()
    answer: str = response.json()["choices"][0]["message"]["content"]
    return answer.splitlines()[0][:90]


def stream(client: httpx.Client, headers: dict[str, str]) -> None:
    body = {"model": "stackspot", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    print("  ", end="")
    with client.stream("POST", "/v1/chat/completions", headers=headers, json=body) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                choices = json.loads(line.removeprefix("data: "))["choices"]
                print(choices[0]["delta"].get("content") or "", end="", flush=True)
    print()


def spend(client: httpx.Client, key: str) -> float:
    """The key's spend, once LiteLLM has written it (it collects spend for some seconds)."""
    for _ in range(60):
        info = client.get("/key/info", headers={"Authorization": f"Bearer {key}"}).json()["info"]
        if info["spend"]:
            break
        time.sleep(1)
    return float(info["spend"])


def port() -> int:
    return int(os.environ.get("GATEWAY_PORT") or free_port())


def say(text: str) -> None:
    print(f"\n{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
