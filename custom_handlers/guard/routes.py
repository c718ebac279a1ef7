"""Which requests there are: closed is what is not listed here, for every key, the master key included.

LiteLLM has some 1,000 routes. Many lead to other vendors, with whatever keys of theirs the environment holds; a new
version brings new ones. `{name}` is one segment of a path, `*` at the end whatever follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from custom_handlers.guard.rejection import GOOGLE_SURFACE, MESSAGES_SURFACE, RejectedError

# For keys of developers (`make key`, and keys made in the admin UI). LiteLLM takes each as the beginning of a path.
DEVELOPER_ROUTES = [
    f"{version}/{route}"
    for version in ("/v1", "")
    for route in ("chat/completions", "completions", "messages", "responses", "models")
] + ["/key/info"]


class Kind(Enum):
    SURFACE = auto()  # a body for a model, sifted
    READ = auto()  # no body, passed on under its own path
    OPEN = auto()  # without a key: health, the UI's files, signing in
    MANAGEMENT = auto()  # LiteLLM asks for an administrator's key
    KEY = auto()  # management that makes or changes a key
    DOCUMENTATION = auto()  # open in LiteLLM; here for administrators
    STORED = auto()  # an answer of the responses surface that was kept


@dataclass(frozen=True, slots=True)
class Route:
    """What a request is; `path` is the one that LiteLLM is given, `model` the one that the path names."""

    kind: Kind
    path: str
    surface: str | None = None
    model: str | None = None
    response_id: str | None = None
    part: str | None = None  # of a stored response


_SURFACES = {
    "/chat/completions": "chat",
    "/completions": "completions",
    "/messages": "messages",
    "/messages/count_tokens": "count_tokens",
    "/responses": "responses",
}
# As clients of Azure's and of OpenAI's first API name a model.
_WITH_MODEL = re.compile(r"/(?:engines|openai/deployments)/([^/]+)(/.+)")
_CHAT_ONLY = ("/embeddings", "/images/generations", "/images/edits")
# As Gemini CLI and Google's SDKs ask: no surface of this gateway, although LiteLLM has one.
_GOOGLE = re.compile(r"/v1(beta|alpha)(\d*)/.*|/models/.+:\w+", re.DOTALL)
_STORED = re.compile(r"/responses/([^/]+)(/cancel|/input_items)?")

_OPEN = (
    "GET,HEAD,OPTIONS /health/liveliness",
    "GET,HEAD,OPTIONS /health/liveness",
    "GET,HEAD,OPTIONS /health/readiness",
    *("GET,HEAD /ui", "GET,HEAD /ui/*", "GET,HEAD /_next/*", "GET,HEAD /litellm-asset-prefix/*"),
    *("GET /get_image", "GET /get_logo_url", "GET /get_favicon", "GET /favicon.ico"),
    *("GET /.well-known/litellm-ui-config", "GET /litellm/.well-known/litellm-ui-config"),
    *("POST /login", "POST /v2/login", "POST /v3/login", "POST /v3/login/exchange", "GET /fallback/login"),
    *("GET /sso/key/generate", "GET /sso/callback", "GET /sso/get/ui_settings", "GET /sso/readiness"),
    *("GET /sso/saml/login", "GET /sso/saml/metadata", "POST /sso/saml/callback"),
    *("GET /get/ui_settings", "GET /get/ui_theme_settings"),
    *("GET /onboarding/get_token", "POST /onboarding/claim_token"),
)
_KEYS = (
    *("POST /key/generate", "POST /key/service-account/generate", "POST /key/update", "POST /user/new"),
    *("POST /key/regenerate", "POST /key/{key}/regenerate"),
)
# What administrators and the admin UI need, without what asks other hosts (LiteLLM's releases, news, templates).
# Reading is wider than writing: the UI asks for more than it shows.
_MANAGEMENT = (
    *(f"GET,POST,PUT,PATCH,DELETE /{place}/*" for place in ("key", "user", "team", "organization", "customer")),
    *(f"GET,POST,PUT,PATCH,DELETE /{place}/*" for place in ("end_user", "budget", "spend", "global", "invitation")),
    *(f"GET,POST,PUT,PATCH,DELETE /{place}/*" for place in ("tag", "project", "access_group", "jwt/key/mapping")),
    *(f"GET,POST,PUT,PATCH,DELETE /{place}/*" for place in ("scim/v2", "management/v1", "model_group")),
    *(f"GET,POST,PUT,PATCH,DELETE /{place}/*" for place in ("v1/access_group", "v1/unified_access_group")),
    *(f"GET,POST,PUT,PATCH,DELETE /{place}" for place in ("v1/access_group", "v1/unified_access_group")),
    *("GET /v2/key/info", "POST /v2/key/info", "GET /v2/user/info", "GET /v2/team/list", "PATCH /v2/organization/{id}"),
    *("GET /model/*", "POST /model/new", "POST /model/update", "POST /model/delete", "PATCH /model/{id}/update"),
    *("POST /model/block", "POST /model/unblock", "GET /v1/model/info", "GET /v2/model/info", "GET /v1/model/*"),
    *("GET /health", "GET /health/history", "GET /health/latest", "GET /health/shared-status", "GET /health/license"),
    *("GET /health/readiness/details", "GET /health/backlog", "GET /health/deployment_warnings"),
    *("GET /config/*", "POST /config/*", "PATCH /config/*", "DELETE /config/callback/*"),
    *(
        "GET /get/allowed_ips",
        "GET /get/internal_user_settings",
        "GET /get/default_team_settings",
        "GET /get/user_banner",
    ),
    *("GET /get/sso_settings", "GET /get/config/callbacks", "GET /get/mcp_semantic_filter_settings"),
    *("GET /get/mcp_tool_search_settings", "GET /get/websearch_interception_settings"),
    *("PATCH /update/*", "POST /add/allowed_ip", "POST /delete/allowed_ip", "POST /upload/logo"),
    *("GET /router/*", "GET /fallback/{model}", "POST /fallback", "DELETE /fallback/{model}", "GET /alerting/settings"),
    *("GET /cache/ping", "GET /cache/redis/info", "GET /cache/settings", "POST /cache/flushall", "GET /settings"),
    *("GET /active/callbacks", "GET /callbacks/*", "GET /provider/budgets", "GET /audit", "GET /audit/{id}"),
    *("GET /gateway/*", "GET /telemetry/*", "POST /telemetry/ui_events", "GET /agent/daily/*", "GET /cost/*"),
    *("POST /cost/estimate", "GET /cost_optimization/*", "GET /coordination_redis/settings", "GET /api/plugins"),
    *("GET /email/event_settings", "PATCH /email/event_settings", "GET /memory-usage-in-mem-cache", "GET /debug/*"),
    *("POST /session/logout", "POST /utils/token_counter", "GET /utils/*", "GET /schedule/*", "GET /model_hub/*"),
    # lists of things that this gateway does not offer, which the UI's pages ask for
    *(
        "GET /guardrails/list",
        "GET /v2/guardrails/list",
        "GET /guardrails/ui/*",
        "GET /policies/list",
        "GET /policy/list",
    ),
    *("GET /prompts/list", "GET /search_tools/list", "GET /vector_store/list", "GET /v1/vector_store/list"),
    *("GET /v1/agents", "GET /v1/mcp/server", "GET /v1/mcp/toolset", "GET /v1/mcp/access_groups", "GET /v1/tool/*"),
    *("GET /credentials", "GET /v1/mcp/user-credentials", "GET /claude-code/plugins"),
    *("GET /stackspot/pace", "POST /stackspot/forget"),  # our own
)
# LiteLLM's routes that begin with any segment: they would pass as management of that name.
_CROSSING = re.compile(r"/[^/]+/(v1/(files|batches)(/.*)?|mcp/?|authorize|token|register)", re.DOTALL)
_DOCUMENTATION = (
    *("GET,HEAD /", "GET,HEAD /docs", "GET,HEAD /redoc", "GET,HEAD /openapi.json", "GET,HEAD /docs/*", "GET /routes"),
    *(
        "GET /swagger/*",
        "GET /config/yaml",
        "GET /model/cost_map/source",
        *("GET /public/model_hub", "GET /public/model_hub/info", "GET /public/agent_hub", "GET /public/mcp_hub"),
        *("GET /public/skill_hub", "GET /public/v1/*", "GET /public/providers", "GET /public/providers/fields"),
        *("GET /public/litellm_model_cost_map", "GET /public/endpoints", "GET /public/agents/fields"),
    ),
)


def _compiled(entries: Iterable[str]) -> list[tuple[frozenset[str], re.Pattern[str]]]:
    found = []
    for entry in entries:
        methods, template = entry.split(" ")
        pattern = re.escape(template.removesuffix("*"))
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", pattern) + ("[^\\x00]*" if template.endswith("*") else "")
        found.append((frozenset(methods.split(",")), re.compile(pattern)))
    return found


# In this order: the first that fits counts.
_OTHERS = [
    (kind, _compiled(entries))
    for kind, entries in (
        (Kind.OPEN, _OPEN),
        (Kind.DOCUMENTATION, _DOCUMENTATION),
        (Kind.KEY, _KEYS),
        (Kind.MANAGEMENT, _MANAGEMENT),
    )
]


def shape_of(path: str) -> str | None:
    """The surface whose error format is used on `path`."""
    if _GOOGLE.fullmatch(path):
        return GOOGLE_SURFACE
    return MESSAGES_SURFACE if path.startswith(("/v1/messages", "/messages")) else None


def find(method: str, path: str, *, preflight: bool = False) -> Route:
    """What a request with this method and path is. Raises RejectedError for what this gateway does not have."""
    if preflight:
        return Route(Kind.OPEN, path)
    if _CROSSING.fullmatch(path) or "/../" in path:
        raise _no_such(method, path)
    model, inner = None, path
    if named := _WITH_MODEL.fullmatch(path):
        model, inner = named.groups()
    inner = inner.removesuffix("/")
    inner = inner.removeprefix("/v1") if not model and inner.startswith("/v1/") else inner
    if surface := _SURFACES.get(inner):
        if model and surface not in ("chat", "completions"):
            raise _no_such(method, path)
        if method == "POST":
            return Route(Kind.SURFACE, f"/v1{inner}", surface, model)
        raise RejectedError(405, f"{path} takes POST only.", code="method_not_allowed")
    if inner in _CHAT_ONLY:
        raise RejectedError(400, f"{path} is not supported: StackSpot serves chat only.")
    if not model and (found := _without_model(method, path, inner)):
        return found
    raise _no_such(method, path)


def _without_model(method: str, path: str, inner: str) -> Route | None:
    if inner == "/models" or re.fullmatch(r"/models/[^/:]+(/[^/:]+)?", inner):
        return Route(Kind.READ, f"/v1{inner}") if method in ("GET", "HEAD") else None
    stored = _STORED.fullmatch(inner)
    if stored and stored[1] not in ("compact", "input_tokens"):
        return Route(Kind.STORED, path, response_id=stored[1], part=stored[2])
    for kind, entries in _OTHERS:
        if any(method in methods and pattern.fullmatch(path) for methods, pattern in entries):
            return Route(kind, path)
    return None


def _no_such(method: str, path: str) -> RejectedError:
    if _GOOGLE.fullmatch(path):
        return RejectedError(
            404,
            "This gateway does not speak Gemini's API: use a client of OpenAI's or Anthropic's API, such as Codex, "
            "opencode or Claude Code.",
            code="not_found",
        )
    return RejectedError(
        404,
        f"There is no {method} {path[:200]} in this gateway. It answers POST /v1/chat/completions, /v1/completions, "
        "/v1/messages, /v1/messages/count_tokens and /v1/responses, and GET /v1/models.",
        code="not_found",
    )
