"""StackSpot: the token endpoint with its network, the clock, and each agent with one short prompt."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime

import httpx

from custom_handlers.config.accounts import environment_of, in_words_of, named_in
from custom_handlers.config.addresses import DEFAULT_ADDRESSES
from gateway.doctor import answer
from gateway.doctor.agents import agents_of
from gateway.doctor.network import client, unreachable
from gateway.doctor.results import Group, Result, failure, note, ok, together, warning
from gateway.names import configuration

TOKEN, CLOCK, CREDENTIALS = "token endpoint", "clock", "credentials"
TOKEN_SECONDS, AGENT_SECONDS = 4.0, 8.0
GROUP_SECONDS = 18.0
MOST_SKEW_SECONDS = 60
PROMPT = "Reply with the one word OK."
_CREDENTIALS = "Check STACKSPOT_REALM, STACKSPOT_CLIENT_ID and STACKSPOT_CLIENT_SECRET."


def check(environ: Mapping[str, str], *, agents: bool) -> list[Result]:
    """The default account, and at the same time those that the configuration file names beside it."""
    env = {name: value.strip() for name, value in environ.items()}
    text = configuration()
    accounts = ("", *named_in(text))
    if len(accounts) == 1:
        return _account("", env, text, agents=agents)
    return together([_account_group(name, text, agents=agents) for name in accounts], env)


def _account_group(account: str, text: str, *, agents: bool) -> Group:
    run: Callable[[Mapping[str, str]], Sequence[Result]] = lambda env: _account(account, env, text, agents=agents)  # noqa: E731
    name = f"account {account}" if account else "StackSpot"
    return Group(name, run, GROUP_SECONDS - 1, "Check this machine's DNS and STACKSPOT_IDM_URL.")


def _account(account: str, env: Mapping[str, str], text: str, *, agents: bool) -> list[Result]:
    named = agents_of(account, env, text)
    if account:
        env = {**env, **environment_of(account, env)}
    found = _asked(env, named, agents=agents)
    if not account:
        return found
    # The clock is the default account's to tell.
    return [
        replace(
            each,
            check=each.check
            if each.check.startswith(("agent ", "stream ", "usage "))
            else f"{each.check} of {account}",
            message=in_words_of(account, each.message),
            advice=in_words_of(account, each.advice),
        )
        for each in found
        if each.check != CLOCK
    ]


def _asked(env: Mapping[str, str], named: Mapping[str, str], *, agents: bool) -> list[Result]:
    found, token = _token(env, named)
    if not agents:
        return [*found, note("agents", "not asked (--no-agents)")]
    if not named:
        return [*found, note("agents", "none is configured", "STACKSPOT_AGENT_ID names one.")]
    if not token:
        return [*found, *(note(f"agent {models}", "not asked: there is no token") for models in named.values())]
    groups = [_group(agent_id, models, token) for agent_id, models in named.items()]
    return [*found, *together(groups, env)]


def _group(agent_id: str, models: str, token: str) -> Group:
    name = f"agent {models}"
    run: Callable[[Mapping[str, str]], Sequence[Result]] = lambda env: _ask(env, name, agent_id, token)  # noqa: E731
    return Group(name, run, AGENT_SECONDS + 1, "Try again; see whether the agent answers in the StackSpot portal.")


def address(env: Mapping[str, str], name: str) -> str:
    return (env.get(name) or DEFAULT_ADDRESSES[name]).rstrip("/")


def _token(env: Mapping[str, str], named: Mapping[str, str]) -> tuple[list[Result], str]:
    secret = env.get("STACKSPOT_CLIENT_SECRET") or env.get("STACKSPOT_CLIENT_KEY", "")
    given = {
        "STACKSPOT_REALM": env.get("STACKSPOT_REALM", ""),
        "STACKSPOT_CLIENT_ID": env.get("STACKSPOT_CLIENT_ID", ""),
    }
    given["STACKSPOT_CLIENT_SECRET"] = secret
    missing = [name for name, value in given.items() if not value]
    if missing and len(missing) == len(given) and env.get("STACKSPOT_API_KEY") and not named:
        return [note(TOKEN, "not needed: only the key API is configured, which is not asked")], ""
    told = ", ".join(missing)
    lacking = [failure(CREDENTIALS, f"missing: {told}", f"Set {told}.")] if missing else []
    base = address(env, "STACKSPOT_IDM_URL")
    # Without credentials the way there is tried all the same, so that one run tells all that is missing.
    realm = given["STACKSPOT_REALM"] if re.fullmatch(r"[\w.-]+", given["STACKSPOT_REALM"]) else "stackspot"
    form = {"grant_type": "client_credentials", "client_id": given["STACKSPOT_CLIENT_ID"], "client_secret": secret}
    try:
        with client(base, env, TOKEN_SECONDS) as http:
            response = http.post(f"{base}/{realm}/oidc/oauth/token", data={} if missing else form)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return [*lacking, unreachable(TOKEN, "STACKSPOT_IDM_URL", base, env, error)], ""
    found = [_clock(response)]
    if missing:
        return [*lacking, ok(TOKEN, "reached, and not asked for a token"), *found], ""
    result, token = _read_token(response)
    return [result, *found], token


def _read_token(response: httpx.Response) -> tuple[Result, str]:
    status = response.status_code
    if status in (400, 401, 403, 404, 422):
        return failure(TOKEN, f"the credentials are refused (HTTP {status})", _CREDENTIALS), ""
    if status == 407:
        return failure(TOKEN, "the company's proxy wants a login (HTTP 407)", "Check the user in HTTPS_PROXY."), ""
    if not response.is_success:
        return _other(TOKEN, status, "STACKSPOT_IDM_URL"), ""
    try:
        body = response.json()
    except ValueError:
        body = None
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        advice = "Check STACKSPOT_IDM_URL, and whether HTTPS_PROXY leads to a page of the company's."
        return failure(TOKEN, "answers without a usable token", advice), ""
    return ok(TOKEN, "reached, and it gives a token"), token


def _clock(response: httpx.Response) -> Result:
    try:
        theirs = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (ValueError, TypeError):
        return note(CLOCK, "not looked at: StackSpot's answer names no time")
    skew = time.time() - theirs
    if abs(skew) > MOST_SKEW_SECONDS:
        direction = "ahead of" if skew > 0 else "behind"
        return failure(CLOCK, f"{abs(skew):.0f} s {direction} StackSpot's", "Let this machine take its time from NTP.")
    return ok(CLOCK, "within a minute of StackSpot's")


def _ask(env: Mapping[str, str], name: str, agent_id: str, token: str) -> list[Result]:
    base, until = address(env, "STACKSPOT_INFERENCE_URL"), time.monotonic() + AGENT_SECONDS
    body = {"user_prompt": PROMPT, "streaming": True, "stackspot_knowledge": False}
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    try:
        with (
            client(base, env, AGENT_SECONDS) as http,
            http.stream("POST", f"{base}/v1/agent/{agent_id}/chat", json=body, headers=headers) as response,
        ):
            if not response.is_success:
                return [_refused(name, response.status_code)]
            return _told(name, _read(response, until))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return [unreachable(name, "STACKSPOT_INFERENCE_URL", base, env, error)]


def _read(response: httpx.Response, until: float) -> answer.Answer:
    pieces = answer.Pieces(response.iter_bytes())
    found = answer.read(response.headers.get("content-type", ""), pieces, until)
    found.late, found.broken = found.late or pieces.silent, pieces.broken
    return found


def _refused(name: str, status: int) -> Result:
    if status == 401:
        return failure(name, "the token is refused (HTTP 401)", _CREDENTIALS)
    if status in (403, 404):
        advice = "Check STACKSPOT_AGENT_ID and its siblings, and share the agent with the client key in the portal."
        return failure(name, f"unknown, or not shared with the client key (HTTP {status})", advice)
    if status == 429:
        told = "the account's request limit is reached (HTTP 429)"
        return warning(
            name, told, "Try again in a minute; set STACKSPOT_REQUESTS_PER_MINUTE to what the account allows."
        )
    if status in (400, 413, 422):
        return failure(name, f"the request is refused (HTTP {status})", "See whether the agent answers in the portal.")
    return _other(name, status, "STACKSPOT_INFERENCE_URL")


def _other(check: str, status: int, variable: str) -> Result:
    if 300 <= status < 400:
        return failure(check, f"answers with a redirect (HTTP {status})", f"Check {variable} and HTTPS_PROXY.")
    advice = f"StackSpot or a proxy before it is in trouble: try again later, and check {variable} and HTTPS_PROXY."
    return failure(check, f"answers HTTP {status}", advice)


def _told(name: str, found: answer.Answer) -> list[Result]:
    again = "Try again; see whether the agent answers in the StackSpot portal."
    if found.error:
        return [failure(name, "reports an error in its answer", again)]
    if found.broken:
        return [
            failure(name, f"the answer broke off ({found.broken})", f"{again} A proxy (HTTPS_PROXY) may cut streams.")
        ]
    if found.late and not found.text:
        advice = f"It may be slow: {again[0].lower()}{again[1:]}"
        return [warning(name, f"took the prompt, and sent no text in {AGENT_SECONDS:g} s", advice)]
    if not found.text:
        advice = "StackSpot's content filter may have refused it; check the agent, and that HTTPS_PROXY leaves streams."
        return [failure(name, "the answer holds no text", advice)]
    results = [ok(name, "answers")]
    stream = f"stream of {name}"
    if not found.streamed:
        told = "a plain answer came in place of a stream"
        results.append(
            warning(stream, told, "A proxy (HTTPS_PROXY) may collect streams: exempt StackSpot in NO_PROXY.")
        )
    elif found.late:
        results.append(warning(stream, f"not at its end after {AGENT_SECONDS:g} s", again))
    elif found.strange:
        advice = "The gateway skips them: run doctor again, and tell us if it stays so."
        results.append(warning(stream, f"{found.strange} lines are not as the wire reference tells them", advice))
    elif not found.final:
        results.append(warning(stream, "ends without its final object", "The gateway estimates tokens then: tell us."))
    else:
        results.append(ok(stream, "as the wire reference tells it"))
    if found.usage:
        results.append(ok(f"usage of {name}", f"counts in {found.usage}"))
    elif not found.late:
        advice = "The gateway estimates them, and spend is approximate: see docs/budgets.md."
        results.append(warning(f"usage of {name}", "the answer counts no tokens", advice))
    return results
