"""What this version of LiteLLM would listen to, collected from its own code: an upgrade adds cases by itself.

A program of its own collects it, which spares the tests the import of LiteLLM.
"""

import inspect
import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROUTES_FILE = "ROUTES_OF_LITELLM"
# Dictionaries that hold a request's body on its way through LiteLLM, or its headers, end so; and how they are read.
_BODIES = r"(?:data|body|kwargs|params|request|metadata|args)"
_HEADERS = r"headers"
_ENVIRONMENT = re.compile(
    r"(?:environ(?:\.get\(|\[)|getenv\(|get_secret(?:_str|_bool)?\()\s*[\"']([A-Z][A-Z0-9_]{4,})[\"']"
)
_HEADER_NAME = re.compile(r"[\"']([xX]-[A-Za-z0-9-]{1,60})[\"']")
# The proxy's own, which decide how it starts: with another value it would be another gateway.
_OWN = re.compile(
    r"DATABASE|REDIS|LITELLM_(?!PROXY)|STACKSPOT|^HTTPS?_PROXY|NO_PROXY|PROXY_BASE|PROXY_(ADMIN|LOGOUT)|SSO|CLIENT_ID"
    r"|SECRET_MANAGER|KMS|VAULT|CYBERARK|CONFIG|DOCS_URL|REDOC|SERVER_ROOT|PROMETHEUS|OTEL|UI_|JWT|MASTER|SALT|SMTP"
    r"|DEFAULT_|MAX_|WORKER|PORT$|SSL|CERT|PATH|MODE$|LICENSE|PYTHON|SENTRY|LOGO|FAVICON|BUCKET|EMAIL|HOME|USER|DD_|OPENAPI|REDIRECT|DIRECT_URL"
)
_ADDRESS = re.compile(r"(API_BASE|BASE_URL|_URL|_URI|_ENDPOINT|_HOST|_BASE)$")
_SECRET = re.compile(r"(API_KEY|_TOKEN|_KEY|_SECRET)$")


@dataclass(frozen=True)
class Known:
    parameters: list[str]
    headers: list[str]
    variables: dict[str, str]


@cache
def known_to_litellm() -> Known:
    return Known(**_collected("parameters", "headers", "variables"))


@cache
def own_parameters() -> list[str]:
    """Every name that LiteLLM gives a meaning of its own to, and OpenAI does not."""
    names: list[str] = _collected("_own_parameters")["_own_parameters"]
    return names


def _collected(*functions: str) -> dict[str, Any]:
    """What these functions of this module return in a process that has LiteLLM."""
    from tests.gateway.in_process.scripts import run_script  # the hooks below need nothing of the tests

    script = f"from tests.gateway import {Path(__file__).stem} as surface\n"
    script += "".join(f"found[{name!r}] = surface.{name}()\n" for name in functions)
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, Any] = run_script(script + "tell()\n", {}, Path(folder)).found
    return found


def _own_parameters() -> list[str]:
    import litellm
    from litellm.constants import OPENAI_CHAT_COMPLETION_PARAMS
    from litellm.types.router import GenericLiteLLMParams
    from litellm.types.utils import all_litellm_params

    names = {*all_litellm_params, *GenericLiteLLMParams.model_fields, *inspect.signature(litellm.completion).parameters}
    return sorted(names - {*OPENAI_CHAT_COMPLETION_PARAMS})


def parameters() -> tuple[str, ...]:
    """Every name that LiteLLM reads from the body of a request, or from what it makes of one."""
    import litellm
    from litellm.anthropic_interface.messages import acreate
    from litellm.constants import OPENAI_CHAT_COMPLETION_PARAMS
    from litellm.types.router import GenericLiteLLMParams
    from litellm.types.utils import all_litellm_params

    names = {*all_litellm_params, *GenericLiteLLMParams.model_fields, *OPENAI_CHAT_COMPLETION_PARAMS}
    for function in (litellm.completion, litellm.text_completion, litellm.responses, acreate):
        names |= inspect.signature(function).parameters.keys()
    names |= _typed()
    names |= {*_read(_BODIES)}
    return tuple(sorted(name for name in names if name.isidentifier()))


def headers() -> tuple[str, ...]:
    names = {name.lower() for name in _read(_HEADERS)}
    names |= {name.lower() for source in _sources() for name in _HEADER_NAME.findall(source)}
    own = {"host", "content-length", "transfer-encoding", "content-type", "content-encoding", "connection"}
    return tuple(sorted(names - own - {"authorization", "x-litellm-api-key", "upgrade", "expect"}))


def variables() -> dict[str, str]:
    """The environment's variables that say where a vendor is (`address`) or open his door (`secret`)."""
    found = {}
    for name in {name for source in _sources() for name in _ENVIRONMENT.findall(source)}:
        if not _OWN.search(name):
            if _ADDRESS.search(name):
                found[name] = "address"
            elif _SECRET.search(name):
                found[name] = "secret"
    return found


def _typed() -> set[str]:
    from litellm.types.llms.anthropic import AnthropicMessagesRequestOptionalParams
    from litellm.types.llms.openai import ResponsesAPIOptionalRequestParams

    return {*AnthropicMessagesRequestOptionalParams.__annotations__, *ResponsesAPIOptionalRequestParams.__annotations__}


@cache
def _sources() -> tuple[str, ...]:
    """All of its code but what belongs to one vendor or to one logger: a body gets there by what is collected here."""
    skipped = {"llms", "types", "enterprise", "tests"}
    found = find_spec("litellm")
    assert found
    assert found.origin
    package = Path(found.origin).parent
    paths = [path for path in package.rglob("*.py") if not skipped & {*path.relative_to(package).parts}]
    return tuple(path.read_text(errors="replace") for path in sorted([*paths, *package.glob("llms/*/*/*.py")]))


def _read(place: str) -> Iterator[str]:
    """`body.get("x")`, `body["x"]`, `body.pop("x")`, `"x" in body`, for every body that is named like `place`."""
    got = re.compile(place + r"(?:\.get\(|\.pop\(|\[)\s*[\"']([A-Za-z][\w-]{0,60})[\"']")
    looked_for = re.compile(r"[\"']([A-Za-z][\w-]{0,60})[\"'] (?:not )?in [\w.]*" + place + r"\b")
    for source in _sources():
        for pattern in (got, looked_for):
            yield from pattern.findall(source)


def write_routes() -> None:
    """A startup hook of LiteLLM's (LITELLM_WORKER_STARTUP_HOOKS): lists all routes of the app in a file."""
    from litellm.proxy.proxy_server import app

    found: list[Any] = []
    _walk(app.routes, "", found)
    Path(os.environ[ROUTES_FILE]).write_text(json.dumps(found))


def _walk(routes: Any, prefix: str, found: list[Any]) -> None:
    for route in routes:
        if hasattr(route, "original_router"):  # FastAPI keeps an included router as one entry
            _walk(route.original_router.routes, prefix + (route.include_context.prefix or ""), found)
            continue
        path = prefix + (getattr(route, "path", None) or "")
        kind = type(route).__name__
        found.append({"path": path, "kind": kind, "methods": sorted(getattr(route, "methods", None) or [])})
        if kind == "Mount":
            _walk(getattr(route.app, "routes", None) or [], path, found)


def change_app() -> None:
    """Another such hook: an app that starts in another way than the guard expects."""
    from litellm.proxy.proxy_server import app

    app.middleware_stack = None
