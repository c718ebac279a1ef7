"""What a request is, by method and path alone; what is not listed is closed."""

import pytest

from custom_handlers.guard import routes
from custom_handlers.guard.rejection import RejectedError
from custom_handlers.guard.routes import Kind

SURFACES = {
    "/v1/chat/completions": ("chat", "/v1/chat/completions"),
    "/chat/completions": ("chat", "/v1/chat/completions"),
    "/v1/chat/completions/": ("chat", "/v1/chat/completions"),
    "/engines/stackspot/chat/completions": ("chat", "/v1/chat/completions"),
    "/openai/deployments/stackspot/chat/completions": ("chat", "/v1/chat/completions"),
    "/openai/deployments/stackspot/completions": ("completions", "/v1/completions"),
    "/completions": ("completions", "/v1/completions"),
    "/v1/messages": ("messages", "/v1/messages"),
    "/v1/messages/count_tokens": ("count_tokens", "/v1/messages/count_tokens"),
    "/responses": ("responses", "/v1/responses"),
}


@pytest.mark.parametrize("path", SURFACES)
def test_a_surface_has_one_path_behind_the_guard(path: str) -> None:
    found = routes.find("POST", path)
    assert (found.kind, (found.surface, found.path)) == (Kind.SURFACE, SURFACES[path])
    assert found.model == ("stackspot" if "stackspot" in path else None)


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        *[(f"{method} /openai/v1/files", 404) for method in ("GET", "POST", "DELETE", "PUT", "PATCH", "TRACE")],
        *[("GET /openai/deployments", 404), ("GET /openai/deployments/stackspot/files", 404)],
        *[("POST /openai/deployments/stackspot/audio/speech", 404), ("DELETE /openai/deployments/stackspot", 404)],
        *[("POST /openai/deployments/a/b/chat/completions", 404), ("POST /openai/v1/chat/completions", 404)],
        *[("POST /models/stackspot:generateContent", 404), ("POST /v1beta/models/stackspot:generateContent", 404)],
        *[("GET /v1/models/stackspot:generateContent", 404), ("POST /v1/models", 404), ("DELETE /models/x", 404)],
        *[("POST /v1/responses/compact", 404), ("POST /responses/input_tokens", 404)],
        *[("GET /v1/responses/resp_1/input_items/x", 404), ("GET /v1/responses/", 405)],
        *[("POST /v1/embeddings", 400), ("POST /images/generations", 400)],
        *[("GET /v1/chat/completions", 405), ("PUT /v1/messages", 405)],
        *[("POST /v1/messages/batches", 404), ("POST /anthropic/v1/messages", 404), ("GET /gemini/x", 404)],
        *[("POST /v1/rerank", 404), ("GET /v1/files", 404), ("POST /mcp", 404), ("GET /mcp-rest/tools/list", 404)],
        # LiteLLM's routes that begin with any segment
        *[("GET /key/v1/files", 404), ("POST /user/v1/batches", 404), ("GET /team/mcp", 404), ("GET /v1/mcp", 404)],
        *[("POST /team/token", 404), ("POST /user/register", 404), ("GET /key/authorize", 404)],
        *[("POST /health/test_connection", 404), ("POST /config_overrides/cyberark", 404), ("OPTIONS /mcp", 404)],
        *[("POST /v1/chat/completions/x", 404), ("POST //v1/completions", 404), ("POST /V1/completions", 404)],
        *[("GET /v1/models/../files", 404), ("GET /ui\x00", 404), ("GET /a-route-of-a-later-version", 404)],
    ],
)  # fmt: skip
def test_the_rest_is_closed(request_line: str, status: int) -> None:
    with pytest.raises(RejectedError) as caught:
        routes.find(*request_line.split(" ", 1))
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("request_line", "kind"),
    [
        ("GET /v1/models", Kind.READ),
        ("GET /models/stackspot", Kind.READ),
        ("GET /v1/models/stackspot_ai/stackspot-ai-code", Kind.READ),
        ("GET /health/readiness", Kind.OPEN),
        ("GET /ui/login/", Kind.OPEN),
        ("POST /key/generate", Kind.KEY),
        ("GET /key/info", Kind.MANAGEMENT),
        ("POST /key/sk-1/regenerate", Kind.KEY),
        ("GET /management/v1/users/me", Kind.MANAGEMENT),
        ("GET /v1/mcp/server", Kind.MANAGEMENT),
        ("GET /openapi.json", Kind.DOCUMENTATION),
        ("GET /", Kind.DOCUMENTATION),
        ("GET /public/model_hub", Kind.DOCUMENTATION),
        ("GET /v1/responses/resp_1", Kind.STORED),
        ("DELETE /responses/resp_1", Kind.STORED),
        ("GET /responses/r/input_items", Kind.STORED),
        ("POST /v1/responses/resp_1/cancel", Kind.STORED),
        ("GET /v1/responses/caller", Kind.STORED),
    ],
)
def test_what_there_is_besides(request_line: str, kind: Kind) -> None:
    assert routes.find(*request_line.split(" ")).kind is kind
