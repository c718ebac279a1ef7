"""Files that a request names by their address: fetched only where that is allowed, and never from a private place."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from simulator.client import Simulator
from tests.gateway.calling import CHAT, MESSAGES, RESPONSES, Caller
from tests.gateway.conftest import Decoy
from tests.gateway.remote import PICTURE, RemotePlace
from tests.gateway.test_uploads import asked, image


@pytest.fixture
def remote(remote_place: RemotePlace) -> Iterator[RemotePlace]:
    remote_place.clear()
    yield remote_place
    remote_place.clear()


@pytest.mark.parametrize(
    ("route", "part"),
    [
        (CHAT, lambda url: image(url)),
        (CHAT, lambda url: {"type": "file", "file": {"file_data": url}}),
        (MESSAGES, lambda url: {"type": "image", "source": {"type": "url", "url": url}}),
        (RESPONSES, lambda url: {"type": "input_image", "image_url": url}),
        (RESPONSES, lambda url: {"type": "input_file", "file_url": url}),
    ],
    ids=["image_url", "file_data", "Anthropic url", "input_image", "file_url"],
)
@pytest.mark.parametrize("redirected", [False, True])
def test_a_remote_file_is_fetched_where_that_is_allowed(
    extra_caller: Caller, simulator: Simulator, remote: RemotePlace, route: str, part: Any, redirected: bool
) -> None:
    address = f"{remote.url}/elsewhere?to=/picture.png" if redirected else f"{remote.url}/picture.png"
    assert extra_caller.ask(route, prompt=asked(route, part(address))).status == 200
    (upload,) = simulator.uploads()
    assert (upload["file_name"], simulator.uploaded(upload["id"])) == ("file-1.png", PICTURE)
    assert "authorization" not in remote.headers
    assert remote.headers["host"] == remote.url.removeprefix("http://")


@pytest.mark.parametrize("path", ["large", "missing", "elsewhere?to=/missing", "elsewhere?to=ftp://example.com/a"])
def test_a_remote_file_that_cannot_be_had(
    extra_caller: Caller, simulator: Simulator, remote: RemotePlace, path: str
) -> None:
    reply = extra_caller.ask(prompt=asked(CHAT, image(f"{remote.url}/{path}")))
    assert reply.status == 400
    assert "`messages[0].content[1]` could not be fetched" in reply.raw
    assert remote.paths[0] == f"/{path}"
    assert simulator.requests() == []


def test_redirects_come_to_an_end(extra_caller: Caller, remote: RemotePlace) -> None:
    address = "/picture.png"
    for _ in range(4):
        address = f"/elsewhere?to={quote(address)}"
    assert extra_caller.ask(prompt=asked(CHAT, image(remote.url + address))).status == 400
    assert len(remote.paths) == 4


def private_addresses(port: int) -> dict[str, str]:
    return {
        "loopback": f"http://127.0.0.1:{port}/",
        "another loopback": f"http://127.1.2.3:{port}/",
        "a name": f"http://localhost:{port}/",
        "a name with a dot": f"http://LOCALHOST.:{port}/",
        "decimal": f"http://2130706433:{port}/",
        "hex": f"http://0x7f000001:{port}/",
        "octal": f"http://0177.0.0.1:{port}/",
        "short": f"http://127.1:{port}/",
        "nothing": f"http://0:{port}/",
        "any": f"http://0.0.0.0:{port}/",
        "IPv6": f"http://[::1]:{port}/",
        "mapped": f"http://[::ffff:127.0.0.1]:{port}/",
        "mapped, in hex": f"http://[::ffff:7f00:1]:{port}/",
        "behind a user": f"http://example.com@127.0.0.1:{port}/",
        "behind a backslash": f"http://example.com\\@127.0.0.1:{port}/",
        "upper case": f"HTTP://127.0.0.1:{port}/",
        "TLS": f"https://127.0.0.1:{port}/",
        "link-local": "http://169.254.169.254/latest/meta-data/",
        "metadata by name": "http://metadata.google.internal/computeMetadata/v1/",
        "private": "http://10.0.0.1/",
        "carrier's": "http://100.64.0.1/",
        "unique local": "http://[fd00:ec2::254]/",
        "multicast": "http://224.0.0.1/",
    }


@pytest.mark.parametrize("way", ["straight", "redirected"])
@pytest.mark.parametrize("form", private_addresses(1))
def test_private_addresses_are_never_fetched(
    extra_caller: Caller, simulator: Simulator, remote: RemotePlace, decoy: Decoy, form: str, way: str
) -> None:
    """Neither as they are nor where a public address redirects to; the decoy's own teardown sees that nobody came."""
    address = private_addresses(int(decoy.url.rpartition(":")[2]))[form]
    if way == "redirected":
        address = f"{remote.url}/elsewhere?to={quote(address)}"
    reply = extra_caller.ask(prompt=asked(CHAT, image(address)))
    assert reply.status == 400
    assert "messages[0].content[1]" in reply.raw
    assert len(remote.paths) == (way == "redirected")
    assert simulator.requests() == []


@pytest.mark.parametrize(
    ("route", "part"),
    [
        (CHAT, image("{}/a.png")),
        (CHAT, {"type": "file", "file": {"file_data": "{}/a.png"}}),
        (MESSAGES, {"type": "image", "source": {"type": "url", "url": "{}/a.png"}}),
        (RESPONSES, {"type": "input_image", "image_url": "{}/a.png"}),
        (RESPONSES, {"type": "input_file", "file_url": "{}/a.png"}),
    ],
)
def test_without_leave_nothing_is_fetched(
    caller: Caller, simulator: Simulator, decoy: Decoy, route: str, part: dict[str, Any]
) -> None:
    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(item) for name, item in value.items()}
        return value.format(decoy.url)

    assert caller.ask(route, prompt=asked(route, filled(part))).status == 400
    assert simulator.requests() == []
