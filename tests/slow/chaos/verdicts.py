"""Which outcomes a mix of switches may have: the order in which they bite is the simulator's, the words are ours."""

from collections.abc import Mapping
from typing import Any

from tests.slow.chaos.mixes import FOR_EVER, Mix, Switches

ANSWER = "answer"
# The class of an error: its status, and the words by which it is told from others of that status.
CLASSES: dict[str, tuple[int, str]] = {
    "credentials": (502, r"refused the gateway's credentials"),
    "agent": (502, r"refused the agent"),
    "rate limit": (429, r"request limit for this account"),
    "refused": (400, r"refused the request"),
    "too long": (400, r"maximum context length"),
    "overloaded": (503, r"is not available"),
    "timed out": (504, r"timed out \(HTTP"),
    "silent": (504, r"was silent for"),
    "odd status": (502, r"answered HTTP"),
    "redirect": (502, r"redirect"),
    "unreachable": (502, r"could not be reached"),
    "broken off": (502, r"broke off"),
    "error told": (502, r"reported an error in its answer"),
    "empty": (502, r"answer is empty"),
    "key": (502, r"refused the gateway's key"),
    "model": (502, r"refused the model"),
    "upload": (502, r"refused the upload"),
    "no form": (502, r"upload form cannot be read"),
    "storage": (502, r"storage refused a file"),
    "no token": (502, r"without a usable access token"),
    "too much": (502, r"answer (holds an (object|event)|is too long)"),
}
# What is tried again before the first byte, while the first piece's time lasts.
RETRIED = {"rate limit", "overloaded", "timed out", "unreachable"}
# StackSpot was asked, and has worked: its tokens are the key's spend.
CHARGED = {ANSWER, "silent", "broken off", "error told", "empty", "too much"}
_BY_STATUS = {401: "credentials", 403: "agent", 404: "agent", 429: "rate limit", 408: "timed out", 504: "timed out"}
_BY_STATUS |= dict.fromkeys((400, 413, 422), "refused") | {503: "overloaded"}


def allowed(mix: Mix) -> set[str]:
    """One class nearly always; more where it depends on the network which comes first."""
    renewed = False
    for switches in mix.attempts[:-1]:
        kinds = of_attempt(switches)
        refused = kinds == {"credentials"}
        if not _tried_again(switches, kinds) and (renewed or not refused):
            return kinds
        renewed = renewed or refused
    return of_attempt(mix.attempts[-1])


def of_key_api(switches: Switches, *, stream: bool) -> set[str]:
    """It answers what is not streamed whole, and has neither agents nor error objects of StackSpot's."""
    if switches.get("status") == 200:
        return {"broken off"}
    kinds = of_attempt(switches if stream else {**switches, "json_instead": True})
    return {{"credentials": "key", "agent": "model"}.get(kind, kind) for kind in kinds}


def of_uploads(switches: Switches) -> set[str]:
    """The form for a file."""
    if switches.get("status") == 200:
        return {"no form"}
    return {{"agent": "upload"}.get(kind, kind) for kind in of_attempt(switches)}


def of_storage(switches: Switches) -> set[str]:
    """What it answers with 200 is taken for a file that it has, which the agent then misses."""
    if switches.get("status") == 200:
        return {"refused"}
    wrong = dict.fromkeys(("credentials", "agent", "refused"), "storage")
    return {wrong.get(kind, kind) for kind in of_attempt(switches)}


def _tried_again(switches: Switches, kinds: set[str]) -> bool:
    if switches.get("retry_after") == "3000" and kinds & {"rate limit", "overloaded"}:
        return False
    status = switches.get("status") or (502 if switches.get("html") else 0)
    return bool(kinds & RETRIED) or (kinds == {"odd status"} and status >= 500)


def of_attempt(switches: Mapping[str, Any]) -> set[str]:
    get = switches.get
    if get("header_delay", 0) >= FOR_EVER:
        return {"silent"}
    if get("disconnect"):
        return {"unreachable"}
    if get("redirect"):
        return {"redirect"} if 300 <= get("status", 302) < 400 else {_of_status(get("status"))}
    status = get("status") or (502 if get("html") else None)
    if status == 200:  # no answer, but perhaps an error object
        return {"error told"} if "code" in (get("body") or ()) and not get("html") else {"broken off"}
    if status:
        return {_of_status(status)}
    if get("rate_limit") == 0:
        return {"rate limit"}
    if get("not_shared"):
        return {"agent"}
    if get("token_limit"):
        return {"too long"} if get("extra_input", 0) > get("token_limit") else _of_answer(switches)
    return _of_answer(switches)


def _of_status(status: Any) -> str:
    return _BY_STATUS.get(status, "odd status")


def _of_answer(switches: Mapping[str, Any]) -> set[str]:
    get = switches.get
    if get("json_instead"):
        return _of_plain(switches)
    if get("first_byte_delay", 0) >= FOR_EVER:
        return {"silent"}
    if get("flood") == "lines" or get("flood_bytes", 0) > 4_500_000:
        return {"too much"}
    first, after = _first_stop(switches)
    if first:
        if first == "break_after":
            # The connection is dropped right behind the head: it may not get there.
            return {"broken off", "unreachable"} if after == 0 else {"broken off"}
        return {"silent"} if first == "stall_after" else {"error told"}
    if get("endless_empties"):
        return {"silent"}
    if get("final_object", True) is False or (get("stop_reason") == "absent" and get("usage") == "absent"):
        return {"broken off"}
    return {"empty"} if get("empty_answer") or get("null_message") else {ANSWER}


def _of_plain(switches: Mapping[str, Any]) -> set[str]:
    """A whole JSON answer in place of a stream."""
    get = switches.get
    if get("first_byte_delay", 0) >= FOR_EVER:
        return {"unreachable"} if get("non_streaming_limit", FOR_EVER) < 1 else {"silent"}
    if get("non_streaming_limit", FOR_EVER) < get("first_byte_delay", 0):
        return {"unreachable"}
    first, _ = _first_stop(switches)
    if first == "break_after":
        return {"broken off", "unreachable"}
    if first == "stall_after":
        return {"silent"}
    if get("stop_reason") == "absent" and get("usage") == "absent":
        return {"broken off"}
    return {"empty"} if get("empty_answer") or get("null_message") else {ANSWER}


def _first_stop(switches: Mapping[str, Any]) -> tuple[str | None, int]:
    """Of several, the simulator plays the one that comes first."""
    stops = {name: int(switches[name]) for name in ("break_after", "stall_after", "error_after") if name in switches}
    return min(stops.items(), key=lambda stop: stop[1]) if stops else (None, 0)
