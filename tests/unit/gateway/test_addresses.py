"""The gateway's address, however people write it, and ports that are not to be had."""

import socket

import pytest

from gateway.addresses import gateway_url, local_url, normal, port
from gateway.failures import GatewayError, InputError
from gateway.ports import require_free


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/", "/ui", "/ui/", "/ui/?page=keys", "/v1/chat/completions", "#x"])
@pytest.mark.parametrize(
    ("start", "form"),
    [
        ("https://gateway.example.com", "https://gateway.example.com"),
        ("gateway.example.com", "https://gateway.example.com"),
        ("HTTPS://Gateway.Example.com:8443", "https://gateway.example.com:8443"),
        ("http://10.0.0.5:4000", "http://10.0.0.5:4000"),
        ("localhost:4000", "http://localhost:4000"),
        ("127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("[::1]:4000", "http://[::1]:4000"),
        ("https://example.com/litellm", "https://example.com/litellm"),
        ("https://example.com/v1beta", "https://example.com/v1beta"),
    ],
)
def test_one_form(start: str, end: str, form: str) -> None:
    assert normal(start + end) == form
    assert gateway_url({"GATEWAY_URL": f" {start}{end}\n", "GATEWAY_PORT": "ignored"}) == form


@pytest.mark.parametrize(
    "nonsense",
    [
        "://",
        "http://",
        "ftp://x",
        "https://a b",
        "https://x:port",
        "https://x:99999",
        "https://[::1",
        "file:///x",
        "/v1",
    ],
)
def test_nonsense_is_one_sentence(nonsense: str) -> None:
    with pytest.raises(InputError, match=r"GATEWAY_URL is .*: it has to be an address like"):
        normal(nonsense)


@pytest.mark.parametrize("wrong", ["", " x", ":port", "/a b"])
@pytest.mark.parametrize("scheme", ["https://", "ftp://", ""])
def test_a_password_in_the_address_is_not_told(scheme: str, wrong: str) -> None:
    with pytest.raises(InputError) as caught:
        normal(f"{scheme}me:s3cret@example.com{wrong}")
    assert "s3cret" not in str(caught.value)


def test_this_machine_unless_told() -> None:
    assert gateway_url({}) == "http://127.0.0.1:4000"
    assert gateway_url({"GATEWAY_PORT": "4321", "GATEWAY_URL": ""}) == "http://127.0.0.1:4321"


@pytest.mark.parametrize("given", ["abc", "0", "65536", "-1", "4000.0", "9" * 5000, "４０００"])
def test_a_port_is_a_number(given: str) -> None:
    with pytest.raises(InputError, match=r"GATEWAY_PORT is .*a whole number from 1 to 65535"):
        port({"GATEWAY_PORT": given})


def test_a_busy_port_is_told_with_whoever_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(GatewayError, match=rf"Port {number} is in use.*choose another port with GATEWAY_PORT"):
            require_free("127.0.0.1", number)
    require_free("127.0.0.1", number)


@pytest.mark.parametrize("host", ["192.0.2.7", "no such host", "nowhere.invalid"])
def test_an_address_that_is_not_this_machines(host: str) -> None:
    with pytest.raises(InputError, match=r"GATEWAY_BIND is .* no address of this machine"):
        require_free(host, 4000)


@pytest.mark.parametrize(
    ("host", "path", "url"),
    [
        ("127.0.0.1", "", "http://127.0.0.1:4000"),
        ("0.0.0.0", "", "http://127.0.0.1:4000"),  # noqa: S104
        ("::", "", "http://[::1]:4000"),
        ("gateway.local", "/llm/", "http://gateway.local:4000/llm"),
    ],
)
def test_where_a_gateway_is_reached_from_its_own_machine(host: str, path: str, url: str) -> None:
    assert local_url(host, 4000, path) == url
