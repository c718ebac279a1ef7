"""The Docker stack in a network without a way out, where StackSpot's hosts alone have names. After all other tests."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from custom_handlers.config.addresses import DEFAULT_ADDRESSES
from tests.harness import AGENTS, ROOT
from tests.markdown import Page
from tests.slow.compose.daemon import Docker
from tests.slow.compose.stack import SIMULATOR_PORT, Stack, images
from tests.unit.custom_handlers.serving import self_signed

pytestmark = pytest.mark.compose

HOSTS = sorted(str(urlsplit(address).hostname) for address in DEFAULT_ADDRESSES.values())
ASK = """
import json, sys, urllib.request
body = {"model": "stackspot-code", "messages": [{"role": "user", "content": "Hello"}]}
headers = {"Authorization": "Bearer " + sys.argv[1], "Content-Type": "application/json"}
request = urllib.request.Request("http://127.0.0.1:4000/v1/chat/completions", json.dumps(body).encode(), headers)
print(json.load(urllib.request.urlopen(request, timeout=60))["choices"][0]["message"]["content"])
"""


@contextmanager
def stackspot_by_name(stack: Stack, docker: Docker, folder: Path) -> Iterator[None]:
    """The simulator behind TLS, under the names of StackSpot's hosts and with a certificate of a company's own."""
    words = [word for host in HOSTS for word in ("--network-alias", host)]
    agents = " ".join(f"--agent {agent}" for agent in AGENTS.values())
    script = (
        f"python3 -B -m simulator --port {SIMULATOR_PORT} {agents} & "
        f"exec python3 -B tests/slow/compose/tls_front.py /tls/certificate.pem /tls/key.pem {SIMULATOR_PORT}"
    )
    name = docker.output(
        *("run", "--detach", "--user", "0", "--network", f"{stack.name}_default", *words),
        *(f"--env={name}={value}" for name, value in stack.account.for_simulator().items()),
        *(f"--volume={ROOT / each}:/project/{each}:ro" for each in ("simulator", "custom_handlers", "tests")),
        *(f"--volume={folder}:/tls:ro", "--workdir", "/project", "--entrypoint", "sh"),
        *(images()["gateway"], "-c", script),
    )
    try:
        until = time.monotonic() + 60
        while not all(word in (told := docker.output("logs", name)) for word in ("simulator ready", "front ready")):
            assert time.monotonic() < until, told
            time.sleep(0.3)
        yield
    finally:
        docker.run("rm", "--force", name)


def without_addresses(stack: Stack, certificate: Path) -> None:
    """.env as an administrator has it whose StackSpot is StackSpot, behind a company's certificates."""
    path = stack.folder / ".env"
    text = re.sub(r"^(STACKSPOT_(?:\w+_URL|API_BASE)=)", r"#\1", path.read_text(), flags=re.MULTILINE)
    path.write_text(text)
    stack.fill_in({"CA_BUNDLE": str(certificate)})


def test_it_starts_and_answers_with_stackspots_hosts_alone(stack: Stack, docker: Docker, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path, names=HOSTS).path
    for path in (tmp_path, certificate):
        path.chmod(0o755)
    stack.make("down")
    without_addresses(stack, certificate)
    (stack.folder / "docker-compose.override.yml").write_text("networks: { default: { internal: true } }\n")
    stack.make("up")
    for network in stack.inspect("gateway")["NetworkSettings"]["Networks"]:
        assert docker.output("network", "inspect", "--format", "{{.Internal}}", network) == "true", "a way out"
    with stackspot_by_name(stack, docker, tmp_path):
        made = stack.compose("exec", "-T", "gateway", "python3", "-m", "gateway", "keys", "create", "far", "--json")
        key = json.loads(made)["key"]
        assert "simulated answer" in stack.compose("exec", "-T", "gateway", "python3", "-c", ASK, key)
    told = stack.compose("logs", "--no-log-prefix", "gateway")
    assert not re.search("name resolution|not known|unreachable|ConnectError", told), "it looked for another host"


def test_the_documentation_lists_these_hosts() -> None:
    assert set(HOSTS) <= set(Page.read(ROOT / "docs" / "operations.md").code)
