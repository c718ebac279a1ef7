"""What LiteLLM works out for each request though it has done so before: remembered.

Nothing here decides otherwise than LiteLLM. What is remembered depends on what it is asked with alone, and only short
texts are, so that no client can fill the memory with them.
"""

from __future__ import annotations

import json
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import orjson

from custom_handlers.litellm_adapter.replacing import replace

KEPT = 4096  # texts of each kind
LONGEST = 128  # characters of one that is remembered
_KNOWN = "stackspot_knows"


def remember() -> None:
    """From now on. Safe to call again, and without a database's client."""
    from litellm import _logging
    from litellm.litellm_core_utils import secret_redaction
    from litellm.proxy.auth.route_checks import RouteChecks
    from litellm.proxy.config_resolvers.settings_store import SettingsStore

    # A request's route against each of LiteLLM's 65 for administrators, twice: two regular expressions for each.
    replace(RouteChecks, "_route_matches_pattern", _route_matches_pattern)
    # Secrets in the line of each request, field by field: all but the time was there before.
    for module in (secret_redaction, _logging):
        replace(module, "python_redact_string", _python_redact_string)
    # What the configuration says, asked for 54 times.
    replace(SettingsStore, "_resolution_for", _resolution_for)
    try:
        from litellm.proxy.db import db_spend_update_writer
        from litellm.proxy.guardrails import usage_tracking
        from litellm.proxy.utils import PrismaClient
    except ImportError:
        return
    # The request log's entry, as JSON that was just written.
    replace(PrismaClient, "get_request_status", _get_request_status)
    for module in (db_spend_update_writer, usage_tracking):
        replace(module, "json", _with_quick_loads)


def _route_matches_pattern(own: Any) -> Any:
    remembered = lru_cache(KEPT)(own)

    def route_matches_pattern(route: Any, pattern: Any) -> Any:
        short = isinstance(route, str) and isinstance(pattern, str) and len(route) + len(pattern) <= LONGEST
        return (remembered if short else own)(route, pattern)

    return route_matches_pattern


def _python_redact_string(own: Any) -> Any:
    remembered = lru_cache(KEPT)(own)
    return lambda value: (remembered if len(value) <= LONGEST else own)(value)


def _resolution_for(own: Any) -> Any:
    def resolution_for(store: Any, key: str) -> Any:
        # LiteLLM changes neither: it puts another one in its place.
        sources = (store._yaml_values, store._database_rows)
        of, known = vars(store).get(_KNOWN, (None, None))
        if of is None or of[0] is not sources[0] or of[1] is not sources[1]:
            known = {}
            vars(store)[_KNOWN] = (sources, known)
        if key not in known:
            known[key] = own(store, key)
        return known[key]

    return resolution_for


def _get_request_status(own: Any) -> Any:
    def get_request_status(client: Any, payload: Any) -> Any:
        metadata = payload.get("metadata")
        # It looks for `"status": "failure"`, which most entries show not to have before they are parsed.
        return "success" if isinstance(metadata, str) and "failure" not in metadata else own(client, payload)

    return get_request_status


def _with_quick_loads(own: Any) -> Any:
    """The module json, with orjson's `loads`: an integer of more than 64 bits is a float, which no sum here minds."""

    def loads(text: Any, **named: Any) -> Any:
        try:
            return json.loads(text, **named) if named else orjson.loads(text)
        except orjson.JSONDecodeError:  # such as NaN, which json writes
            return json.loads(text)

    return SimpleNamespace(**{**vars(own), "loads": loads})
