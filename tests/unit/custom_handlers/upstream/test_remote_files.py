"""Which address is asked for a file: the one that was looked at, whatever its name leads to a moment later."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from custom_handlers.http.timeouts import Deadline, Timeouts
from custom_handlers.upstream import remote_files
from custom_handlers.upstream.remote_files import FetchError, fetch

PUBLIC, PRIVATE = "8.8.8.8", "127.0.0.1"
Names = dict[str, Iterator[str]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """What is asked for; nothing leaves this machine."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if request.url.path == "/elsewhere":
            return httpx.Response(302, headers={"location": request.url.params["to"]})
        return httpx.Response(200, content=b"a file")

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(remote_files, "pooled_client", lambda: client)
    return requests


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, list[str]], list[str]]:
    """Lets a name lead to one address after the other; the last one stays."""
    names: dict[str, list[str]] = {}
    looked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **more: Any) -> Any:
        if host not in names:
            return real(host, *arguments, **more)
        looked.append(host)
        addresses = names[host]
        return real(addresses.pop(0) if len(addresses) > 1 else addresses[0], *arguments, **more)

    def lead(name: str, addresses: list[str]) -> list[str]:
        names[name] = addresses
        return looked

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return lead


async def test_a_name_that_leads_elsewhere_a_moment_later(asked: list[httpx.Request], named: Any) -> None:
    looked = named("rebinding.invalid", [PUBLIC, PRIVATE])
    assert (await fetch("http://rebinding.invalid/a.png", most=100, deadline=Deadline(Timeouts())))[1] == b"a file"
    [request] = asked
    assert (request.url.host, request.headers["host"]) == (PUBLIC, "rebinding.invalid")
    assert looked == ["rebinding.invalid"], "it is looked up once"


async def test_a_name_behind_tls_keeps_its_name(asked: list[httpx.Request], named: Any) -> None:
    """Who answers at another address lacks the certificate."""
    named("tls.invalid", [PUBLIC])
    await fetch("https://tls.invalid/a.png", most=100, deadline=Deadline(Timeouts()))
    assert asked[0].url.host == "tls.invalid"
    named("tls.invalid", [PUBLIC, "64:ff9b::7f00:1"])
    with pytest.raises(FetchError):
        await fetch("https://tls.invalid/a.png", most=100, deadline=Deadline(Timeouts()))
    assert len(asked) == 1


@pytest.mark.parametrize("addresses", [[PRIVATE], ["169.254.169.254"], ["64:ff9b::a9fe:a9fe"], ["2002:7f00:1::"]])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_name_of_a_private_address(
    asked: list[httpx.Request], named: Any, scheme: str, addresses: list[str]
) -> None:
    named("inside.invalid", addresses)
    named("outside.invalid", [PUBLIC])
    for address in ("http://inside.invalid/a", "http://outside.invalid/elsewhere?to={}://inside.invalid/a"):
        with pytest.raises(FetchError):
            await fetch(address.format(scheme), most=100, deadline=Deadline(Timeouts()))
    assert [request.url.host for request in asked] == [PUBLIC]


@pytest.mark.parametrize(
    "address",
    [
        *("http://[64:ff9b::7f00:1]/", "http://[64:ff9b::a9fe:a9fe]/", "https://[2002:7f00:1::]/"),
        *("http://[::7f00:1]/", "http://[::ffff:0:7f00:1]/", "http://[64:ff9b:1::1]/", "http://[fec0::1]/"),
    ],
)
async def test_a_private_address_in_disguise(asked: list[httpx.Request], address: str) -> None:
    with pytest.raises(FetchError):
        await fetch(address, most=100, deadline=Deadline(Timeouts()))
    assert asked == []
