"""The token endpoint: OAuth 2 client credentials, with Keycloak's field set (section 2)."""

from __future__ import annotations

from aiohttp import web

from simulator.api.errors import RefusedError, json_response
from simulator.state import come_between, faults_for, record_of, state_of


async def token(request: web.Request) -> web.StreamResponse:
    """POST /{realm}/oidc/oauth/token, form encoded (DOC-UP). In: the credential. Out: a bearer.

    The bodies of the refusals follow Keycloak and MIDIR's stand-in; the service's own are not public.
    """
    tokens = state_of(request).tokens
    tokens.asked += 1
    tokens.asking_now += 1
    tokens.most_asking = max(tokens.most_asking, tokens.asking_now)
    try:
        await come_between(request, faults_for(request, "token"))
        return _issue(request)
    finally:
        tokens.asking_now -= 1


def _issue(request: web.Request) -> web.Response:
    tokens = state_of(request).tokens
    realm = request.match_info["realm"]
    if not tokens.knows_realm(realm):
        raise RefusedError(json_response({"error": "Realm does not exist"}, 404))
    form = record_of(request).body
    if request.content_type != "application/x-www-form-urlencoded" or "grant_type" not in form:
        raise RefusedError(_oauth_error(400, "invalid_request", "Missing form parameter: grant_type"))
    if form["grant_type"] != "client_credentials":
        raise RefusedError(_oauth_error(400, "unsupported_grant_type", "Unsupported grant_type"))
    account = tokens.find(realm, form.get("client_id", ""), form.get("client_secret", ""))
    if account is None:
        raise RefusedError(_oauth_error(401, "invalid_client", "Invalid client or Invalid client credentials"))
    return json_response(
        tokens.issue(account, f"{request.url.origin()}/{realm}/oidc"), headers={"Cache-Control": "no-store"}
    )


def _oauth_error(status: int, error: str, description: str) -> web.Response:
    return json_response({"error": error, "error_description": description}, status)
