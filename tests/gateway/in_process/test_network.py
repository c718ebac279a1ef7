"""The way out: a proxy of the environment is used for StackSpot's hosts, and never for loopback."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.client import Simulator
from tests.gateway.in_process.scripts import run_script
from tests.harness import Account
from tests.sampling import thorough

SCRIPT = """
from custom_handlers.stackspot_config import configure_stackspot
import litellm

ASK = {"model": "stackspot-code", "messages": [{"role": "user", "content": "Hi"}], "timeout": 3}

def ask():
    configure_stackspot()
    try:
        return litellm.completion(**ASK).choices[0].message.content[:6]
    except Exception as error:
        return type(error).__name__

found["loopback"] = ask()
for name in [name for name in os.environ if name.endswith(("_URL", "_BASE"))]:
    del os.environ[name]
found["StackSpot"] = ask()
tell()
"""


class Proxy:
    """Refuses every connection that it is asked for, and remembers the hosts."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(4096).decode(errors="replace").split("\r\n")[0])
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    place = Proxy()
    yield place
    place.close()


@pytest.mark.parametrize(
    "variables",
    [
        ("HTTPS_PROXY", "HTTP_PROXY"),
        pytest.param(("https_proxy", "http_proxy"), marks=thorough),
        pytest.param(("ALL_PROXY",), marks=thorough),
    ],
)
def test_a_proxy_is_for_stackspot_and_not_for_loopback(
    proxy: Proxy, account: Account, simulator: Simulator, tmp_path: Path, variables: tuple[str, ...]
) -> None:
    environ = {**account.for_gateway(simulator.url), **dict.fromkeys(variables, proxy.url)}
    ran = run_script(SCRIPT, environ, tmp_path)
    assert ran.found["loopback"] == "Hello!"
    assert ran.found["StackSpot"] != "Hello!"
    assert proxy.asked
    assert {line.split()[:2][1] for line in proxy.asked} == {"idm.stackspot.com:443"}
