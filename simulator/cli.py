"""The command line: what is asked for, what is missing, and the running until a signal comes."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from aiohttp import web

from custom_handlers.http.network import is_loopback
from simulator.app import make_app
from simulator.control.replies import ScriptError
from simulator.identifiers import is_ulid
from simulator.listener import Listener
from simulator.model.models import MODELS, find_model
from simulator.settings import Account, Settings
from simulator.state import State

_SHUTDOWN_SECONDS = 0.5


class UsageError(Exception):
    """The command line cannot be followed; the message is one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Exit status 2 and one sentence on stderr when something is missing or wrong."""
    try:
        settings = read_settings(sys.argv[1:] if arguments is None else arguments, os.environ)
    except UsageError as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    try:
        with asyncio.Runner() as runner:
            runner.run(_serve(settings))
    except OSError as error:
        print(f"simulator: cannot listen on {settings.host} port {settings.port}: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


def read_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """`Settings` from the command line, and from the environment for what it leaves out."""
    given = _parser().parse_args(arguments)

    def from_either(name: str) -> str:
        value = getattr(given, name) or environment.get(f"SIMULATOR_{name.upper()}") or ""
        return str(value)

    agents = tuple(given.agent or [a.strip() for a in environment.get("SIMULATOR_AGENTS", "").split(",") if a.strip()])
    named = {name: from_either(name) for name in ("realm", "client_id", "client_secret", "api_key")}
    missing = [f"--{name.replace('_', '-')} or SIMULATOR_{name.upper()}" for name, value in named.items() if not value]
    if not agents:
        missing.append("--agent or SIMULATOR_AGENTS")
    if missing:
        raise UsageError(f"still needed: {'; '.join(missing)}.")
    strange = [agent for agent in agents if not is_ulid(agent)]
    if strange:
        raise UsageError(f"an agent's id is a ULID, 26 characters of digits and capitals, not {strange[0]!r}.")
    try:
        find_model(given.model)
    except ScriptError as error:
        raise UsageError(str(error)) from error
    control_token = from_either("control_token") or None
    if control_token is None and not is_loopback(given.host):
        raise UsageError("a host that others can reach needs --control-token or SIMULATOR_CONTROL_TOKEN.")
    return Settings(
        account=Account(named["realm"], named["client_id"], named["client_secret"]),
        api_key=named["api_key"],
        agents=agents,
        host=given.host,
        port=given.port,
        pace=given.pace,
        first_byte_delay=given.first_byte_delay,
        token_life=given.token_life,
        control_token=control_token,
        model=given.model,
        keep=given.keep,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A stand-in for StackSpot AI. Credentials may come from SIMULATOR_REALM, SIMULATOR_CLIENT_ID, "
        "SIMULATOR_CLIENT_SECRET, SIMULATOR_API_KEY, SIMULATOR_AGENTS and SIMULATOR_CONTROL_TOKEN instead.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one, named in the ready line")
    parser.add_argument("--realm", help="the account's slug")
    parser.add_argument("--client-id")
    parser.add_argument("--client-secret")
    parser.add_argument("--api-key", help="the key of the OpenAI-shaped API")
    parser.add_argument("--agent", action="append", metavar="ULID", help="an agent that is there; repeatable")
    parser.add_argument("--pace", type=_seconds, default=0.0, help="seconds between deltas")
    parser.add_argument("--first-byte-delay", type=_seconds, default=0.0, help="seconds before the first delta")
    parser.add_argument("--token-life", type=_seconds, default=1199.0, help="seconds a bearer is good for")
    parser.add_argument("--control-token", help="bearer that the calls under /simulator/ need")
    parser.add_argument(
        "--model", default="echo", help=f"who answers what is not scripted: {', '.join(sorted(MODELS))}"
    )
    parser.add_argument("--keep", type=int, default=10_000, help="how many requests are remembered")
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    state = State.of(settings)
    runner = web.AppRunner(
        make_app(state), handler_cancellation=True, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS
    )
    await runner.setup()
    listener = Listener(runner, settings.host, settings.port)
    state.listener = listener
    port = await listener.start()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"simulator ready on http://{host}:{port}", flush=True)
    await stop.wait()
    await runner.cleanup()
