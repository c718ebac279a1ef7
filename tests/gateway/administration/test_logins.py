"""Passwords of the admin UI cannot be tried for long: LiteLLM counts what is wrong, by address and name."""

import secrets

import httpx
import pytest

from tests.developers import hire
from tests.gateway.administration.observing import Log
from tests.harness import Server
from tests.sampling import first

TRIES = 5  # within a minute; then five minutes' rest
WAYS = {"page": "/v2/login", "form": "/login"}


def sign_in(
    server: Server, name: str, password: str, path: str = "/v2/login", *, address: str = "127.0.0.2", **headers: str
) -> httpx.Response:
    given = {"username": name, "password": password}
    # Not from 127.0.0.1, whose X-Forwarded-For the server believes: a reverse proxy of this machine may be there.
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(base_url=server.url, timeout=60, transport=transport) as client:
        if path == "/login":
            return client.post(path, data=given, headers=headers)
        return client.post(path, json=given, headers=headers)


@pytest.mark.parametrize("way", first(WAYS))
def test_wrong_passwords_come_to_an_end(observed: Server, way: str) -> None:
    name, log = f"mallory-{secrets.token_hex(4)}", Log(observed)
    statuses, wrong = [], []
    for at in range(2 * TRIES):
        wrong.append(secrets.token_urlsafe(12))
        # An address that the client says of itself changes nothing.
        answer = sign_in(observed, name, wrong[-1], WAYS[way], **{"X-Forwarded-For": f"192.0.2.{at}"})
        statuses.append(answer.status_code)
    assert statuses[:TRIES] == [401] * TRIES
    assert statuses[TRIES + 1 :] == [429] * (TRIES - 1)
    assert 0 < int(answer.headers["retry-after"]) <= 300
    assert sign_in(observed, f"{name}-other", "wrong").status_code == 401
    assert httpx.get(f"{observed.url}/key/list", headers={"Authorization": f"Bearer {observed.key}"}).status_code == 200
    text = log.text()
    assert name in text
    assert not any(password in text for password in wrong)


def test_the_right_password_does_not_open_what_is_closed(observed: Server) -> None:
    """Else one could go on trying. The master key works by the API all the time."""
    assert sign_in(observed, "admin", observed.key).status_code == 200
    for _ in range(TRIES + 1):
        sign_in(observed, "admin", "wrong")
    assert sign_in(observed, "admin", observed.key).status_code == 429
    assert sign_in(observed, "admin", observed.key, address="127.0.0.3").status_code == 200
    assert hire(observed).key
