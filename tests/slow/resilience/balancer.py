"""Debian's haproxy in front of two replicas, with the configuration that deploy/haproxy ships."""

import csv
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness import ROOT, Server, free_port, process
from tests.waiting import eventually

CONFIGURATION = ROOT / "deploy" / "haproxy" / "haproxy.cfg"


@dataclass(frozen=True)
class Balancer:
    server: Server
    socket: Path

    def say(self, command: str) -> str:
        """What an administrator types: echo COMMAND | socat stdio SOCKET."""
        with closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(10)
            connection.connect(str(self.socket))
            connection.sendall(f"{command}\n".encode())
            answer = b""
            while received := connection.recv(65536):
                answer += received
        return answer.decode()

    def gateways(self) -> dict[str, dict[str, str]]:
        """haproxy's own figures of each gateway."""
        rows = csv.DictReader(self.say("show stat").removeprefix("# ").splitlines())
        return {row["svname"]: row for row in rows if row["pxname"] == "gateways" and row["svname"] != "BACKEND"}

    def wait_until_all_are_up(self) -> None:
        eventually(lambda: all(row["status"] == "UP" for row in self.gateways().values()), "haproxy sees both gateways")

    def wait_until_each_has(self, streams: int) -> None:
        enough = lambda: all(int(row["scur"]) >= streams for row in self.gateways().values())  # noqa: E731
        eventually(enough, f"each gateway answers {streams} at once")


@contextmanager
def balanced(one: str, other: str, log: Path, master_key: str) -> Iterator[Balancer]:
    if not (program := shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")):
        pytest.skip("needs haproxy: apt-get install haproxy, or brew install haproxy")
    listen = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory(prefix="haproxy-") as folder:
        admin = Path(folder) / "admin"
        environ = {"GATEWAY_LISTEN": listen, "GATEWAY_ONE": one, "GATEWAY_TWO": other, "HAPROXY_SOCKET": str(admin)}
        with process([program, "-db", "-f", CONFIGURATION], environ, log) as running:
            eventually(admin.exists, f"haproxy starts: {log}", seconds=20, pause=0.05)
            yield Balancer(Server(f"http://{listen}", running, log, master_key), admin)
