"""The command: what is looked at, and how it is shown."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from gateway.addresses import normal
from gateway.doctor import configuration, machine, settings, stackspot, stores
from gateway.doctor.deep import run as deep
from gateway.doctor.report import file as wire
from gateway.doctor.results import Group, Outcome, Result, together
from gateway.dotenv import by_file, environment
from gateway.failures import EXIT_INTERRUPTED, InputError
from gateway.options import Command, Value, json_option, read_models
from gateway.project import ROOT
from gateway.spelling import option
from gateway.tables import print_json, render

_MARKS = {Outcome.OK: "ok", Outcome.NOTE: "note", Outcome.WARNING: "WARNING", Outcome.FAILURE: "FAILED"}


@click.command(cls=Command)
@click.option("--no-agents", is_flag=True, help="Ask no agent: nothing is spent.")
@click.option("--deep", "as_deep", is_flag=True, help="Then try each model as a coding agent; takes minutes.")
@click.option("--model", type=Value("model", read_models), metavar="A,B", help="With --deep: these models alone.")
@click.option("--report", metavar="FILE", help="Then write what StackSpot's wire looked like: shapes, no content.")
@json_option
def doctor(no_agents: bool, as_deep: bool, model: list[str] | None, report: str | None, as_json: bool) -> int:
    """Look at all that has to be right, and say what to do.

    Settings, StackSpot with its agents (a short prompt each), Postgres, Redis, memory, the gateway and LiteLLM's
    version, in less than 20 seconds. The exit status is 1 when a check failed.

    --deep is not within these 20 seconds: it asks each model some forty requests through the running gateway, with
    GATEWAY_KEY or LITELLM_MASTER_KEY, and tells a score. It says beforehand what that costs. --report takes some
    seconds more as well, with eight requests to StackSpot.
    """
    if model and not as_deep:
        raise InputError(f"{option('model')} is for {option('deep')}, which is not given.")
    if as_deep and no_agents:
        raise InputError(f"{option('deep')} asks agents, and {option('no-agents')} forbids it: choose one.")
    if report and no_agents:
        raise InputError(f"{option('report')} asks an agent, and {option('no-agents')} forbids it: choose one.")
    file = wire.check_path(report) if report else None
    files, environ = by_file(ROOT), environment(ROOT)
    context = click.get_current_context(silent=True)
    if url := context.find_root().params.get("url") if context else None:
        environ["GATEWAY_URL"] = normal(url, "--url")
    found = settings.every(files, os.environ)
    results = together(_groups(agents=not no_agents), environ)
    results += [wire.report(environ, file)] if file else []
    if not as_json:
        print(render(("setting", "from", "value"), [(each.name, each.source, each.shown) for each in found]))
        print(f"\n{_lines(results)}", flush=True)
    tried = deep.run(environ, model or (), lambda text: click.echo(text, err=as_json)) if as_deep else None
    if tried and not as_json:
        print(_lines(tried.lines()))
    results += tried.lines() if tried else []
    failed = any(result.outcome is Outcome.FAILURE for result in results)
    if as_json:
        told = [{"name": each.name, "source": each.source, "value": each.shown} for each in found]
        whole: dict[str, Any] = {"ok": not failed, "settings": told, "checks": [asdict(result) for result in results]}
        print_json({**whole, "deep": [score.told() for score in tried.scores]} if tried else whole)
    if tried and tried.interrupted:
        return EXIT_INTERRUPTED
    return 1 if failed else 0


def _groups(*, agents: bool) -> list[Group]:
    def asked(environ: Mapping[str, str]) -> Sequence[Result]:
        return stackspot.check(environ, agents=agents)

    slow = "This machine is busy: run doctor again."
    network = "Check this machine's DNS and STACKSPOT_IDM_URL; behind a company's proxy, set HTTPS_PROXY."
    return [
        Group(configuration.NAME, configuration.check, configuration.LIMIT_SECONDS + 1, slow),
        Group("StackSpot", asked, stackspot.GROUP_SECONDS, network),
        Group("Postgres", stores.postgres, 11, "Check DATABASE_URL or DATABASE_HOST, and this machine's DNS."),
        Group("Redis", stores.redis, 11, "Check REDIS_HOST, and this machine's DNS."),
        Group("gateway", machine.gateway, 11, "Check GATEWAY_URL, and see `make logs`."),
        Group("memory", machine.memory, 11, slow),
    ]


def _lines(results: Sequence[Result]) -> str:
    lines = []
    for result in results:
        advice = f" - {result.advice}" if result.advice else ""
        lines.append(f"{_MARKS[result.outcome]:<8}{result.check}: {result.message}.{advice}".replace("..", "."))
    count = sum(result.outcome is Outcome.FAILURE for result in results)
    return "\n".join([*lines, "", f"{count} of {len(results)} checks failed." if count else "No check failed."])
