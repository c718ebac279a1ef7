"""The whole of `--deep`: what it will ask, the score of each model, and a line for each case that failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from custom_handlers.core.models import MODELS
from gateway.addresses import gateway_url
from gateway.doctor.deep import json_cases, probe, tools, turns
from gateway.doctor.deep.asking import Asker, OutOfReachError, Spent
from gateway.doctor.deep.case import Case, Kind
from gateway.doctor.results import Result, failure, note, ok, warning
from gateway.failures import GatewayError, InputError
from gateway.management import MASTER_KEY, Gateway
from gateway.whoami import VARIABLES

CASES: tuple[Case, ...] = (*tools.CASES, *json_cases.CASES, *turns.CASES)
NAME = "deep"
# Measured: the mean of a request of these cases, prompt and answer; and what an agent of today's models needs.
TOKENS_A_REQUEST, SECONDS_A_REQUEST = 750, 4.0
_USUAL_PACE = 100
_MOST_ERRORS = 3  # in a row, after which a model is not asked further

_ADVICE = {
    Kind.TOOLS: "Choose another LLM for the agent in the portal, and leave its own tools and structured output off "
    "(docs/tool-calls.md).",
    Kind.JSON: "Choose another LLM for the agent in the portal, or do not rely on `response_format` with this model.",
    Kind.TURNS: "Choose another LLM for the agent in the portal; its system prompt has to be neutral, and its "
    "conversational mode off.",
}


@dataclass
class Score:
    """What one model did; `stopped` says why not all cases were asked."""

    model: str
    passed: list[Case] = field(default_factory=list)
    failed: dict[str, tuple[Kind, str]] = field(default_factory=dict)
    unasked: dict[str, str] = field(default_factory=dict)
    stopped: str = ""
    spent: Spent = field(default_factory=Spent)

    def of(self, kind: Kind) -> tuple[int, int]:
        good = sum(case.kind is kind for case in self.passed)
        return good, good + sum(each is kind for each, _ in self.failed.values())

    @property
    def message(self) -> str:
        good, count = len(self.passed), len(self.passed) + len(self.failed)
        kinds = ", ".join(f"{kind} {n}/{of}" for kind in Kind for n, of in [self.of(kind)] if of)
        return f"{good} of {count}: {kinds}" if count else "no case was asked"

    def lines(self) -> list[Result]:
        name = f"{NAME} {self.model}"
        found = [ok(name, self.message)]
        if self.failed:
            found = [warning(name, self.message, "What failed follows; docs/operations.md says how to read a score.")]
        elif not self.passed:
            found = [note(name, self.message)]
        for case, (kind, problem) in self.failed.items():
            found.append(warning(f"{name}, {kind}, {case}", problem, _ADVICE[kind]))
        for case, problem in self.unasked.items():
            found.append(note(f"{name}, {case}", f"not counted: {problem}"))
        if self.stopped:
            advice = "See what the other checks say, and run doctor --deep again."
            found.append(failure(f"{name}, the rest", f"not asked: {self.stopped}", advice))
        return found

    def told(self) -> Mapping[str, Any]:
        return {
            "model": self.model,
            "passed": len(self.passed),
            "of": len(self.passed) + len(self.failed),
            "kinds": {str(kind): dict(zip(("passed", "of"), self.of(kind), strict=True)) for kind in Kind},
            "failed": [{"case": c, "kind": str(k), "problem": p} for c, (k, p) in self.failed.items()],
            "requests": self.spent.requests,
            "tokens": self.spent.tokens,
        }


@dataclass
class Deep:
    """Filled as it goes, so that Ctrl-C loses nothing."""

    scores: list[Score] = field(default_factory=list)
    others: list[Result] = field(default_factory=list)
    interrupted: bool = False

    def lines(self) -> list[Result]:
        return [line for score in self.scores for line in score.lines()] + self.others


def run(environ: Mapping[str, str], wanted: Sequence[str], say: Callable[[str], None]) -> Deep:
    """Asks every case of each model, one request after the other. Raises InputError for a model that is not there."""
    deep = Deep()
    url = gateway_url(environ)
    try:
        key = _key(environ)
        models = _models(Gateway(url, key), wanted, deep)
    except InputError:
        raise
    except GatewayError as error:
        deep.others.append(failure(NAME, str(error).rstrip("."), "Start the gateway; check GATEWAY_URL and the key."))
        return deep
    say(_beforehand(models, environ))
    try:
        for model in models:
            deep.scores.append(Score(model))
            _score(deep.scores[-1], url, key, say)
            if probe.installed() and not deep.scores[-1].stopped:
                deep.others.append(probe.check(url, key, model))
    except KeyboardInterrupt:
        deep.interrupted = True
        deep.others.append(note(NAME, "stopped by you; what was found so far is told"))
    if not probe.installed():
        deep.others.append(note(probe.NAME, "not asked: it is not installed here", "It comes with `make install`."))
    return deep


def _score(score: Score, url: str, key: str, say: Callable[[str], None]) -> None:
    began, errors = time.monotonic(), 0
    with Asker(url, key, score.spent) as asker:
        for case in CASES:
            try:
                problem = asker.problem(score.model, case)
            except OutOfReachError as error:
                score.unasked[case.name] = str(error)
                errors += 1
                if errors == _MOST_ERRORS:
                    score.stopped = str(error)
                    break
                continue
            errors = 0
            if problem:
                score.failed[case.name] = (case.kind, problem)
            else:
                score.passed.append(case)
    took = time.monotonic() - began
    say(f"{score.model}: {score.spent.requests} requests, {score.spent.tokens} tokens, {took:.0f} s.")


def _beforehand(models: Sequence[str], environ: Mapping[str, str]) -> str:
    each = sum(case.requests for case in CASES) + (probe.REQUESTS if probe.installed() else 0)
    requests = each * len(models)
    told = environ.get("STACKSPOT_REQUESTS_PER_MINUTE", "").strip()
    pace = int(told) if told.isascii() and told.isdecimal() and len(told) < 8 else _USUAL_PACE
    seconds = max(SECONDS_A_REQUEST, 60 / pace if pace else 0.0) * requests
    units = requests * TOKENS_A_REQUEST / 1_000_000
    return (
        f"Deep: {requests} requests, one after the other, to {', '.join(models)}: about {units:.2f} units (million "
        f"tokens) and {max(round(seconds / 60), 1)} minutes. Ctrl-C ends it."
    )


def _key(environ: Mapping[str, str]) -> str:
    # Without those of `whoami` that may be another provider's: here the key would be an administrator's.
    for name in (*VARIABLES[:2], MASTER_KEY):
        if key := environ.get(name, "").strip():
            if not key.isascii() or not key.isprintable() or " " in key:
                raise GatewayError(f"The key from {name} holds a character that no key has.")
            return key
    raise GatewayError(f"There is no key for the gateway: set {VARIABLES[0]} or {MASTER_KEY}.")


def _models(gateway: Gateway, wanted: Sequence[str], deep: Deep) -> list[str]:
    gateway.warn_in_the_clear()
    there = gateway.model_names()
    if missing := [name for name in wanted if name not in there]:
        raise InputError(f"The gateway has no model {', '.join(missing)}; it has {', '.join(sorted(there))}.")
    if wanted:
        return list(dict.fromkeys(wanted))
    for name in MODELS:
        if name not in there:
            deep.others.append(note(f"{NAME} {name}", "not asked: this key has no such model"))
    return [name for name in MODELS if name in there]
