"""The health check of the Docker stack, and what it does to a gateway that hangs."""

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from gateway.health import MOST_SILENT, main
from tests.harness import free_port
from tests.waiting import eventually

# Listens, takes connections by the kernel's hand, and answers none of them.
HANGING = """
import socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listens", flush=True)
time.sleep(600)
"""
PARENT = 'import subprocess, sys; subprocess.run([sys.executable, "-c", *sys.argv[1:]])'


@contextmanager
def hanging(port: int) -> Iterator[psutil.Process]:
    """The parent of a process that hangs, as a container's first process is."""
    command = [sys.executable, "-c", PARENT, HANGING, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "listens\n"
        try:
            yield psutil.Process(parent.pid)
        finally:
            for child in psutil.Process(parent.pid).children():
                child.kill()
            parent.wait(20)


@contextmanager
def answering(ready: bool) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"db": "connected" if ready else "Not connected"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def check(port: int, counter: Path, init: int = 0) -> int:
    return main(
        ["--url", f"http://127.0.0.1:{port}", "--seconds", "0.3", "--counter", str(counter), "--init", str(init)]
    )


def test_what_hangs_is_ended_after_some_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port, counter = free_port(), tmp_path / "silent"
    with hanging(port) as parent:
        for _ in range(MOST_SILENT - 1):
            assert check(port, counter, parent.pid) == 1
        assert len(parent.children()) == 1
        assert check(port, counter, parent.pid) == 1
        eventually(lambda: not parent.is_running() or not parent.children(), "it is ended")
    assert not counter.exists()
    assert "it is ended, and Docker starts it again" in capsys.readouterr().out


def test_a_gateway_that_answers_again_or_is_not_there_is_not_counted(tmp_path: Path) -> None:
    port, counter = free_port(), tmp_path / "silent"
    with hanging(port) as parent:
        assert check(port, counter, parent.pid) == 1
    assert counter.exists()
    with answering(ready=True) as well:
        assert check(well, counter) == 0
    assert not counter.exists()
    counter.write_text(".....")
    assert check(port, counter) == 1, "nobody listens there now"
    assert not counter.exists()


def test_without_its_database_it_is_not_ready(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(ready=False) as port:
        assert check(port, tmp_path / "silent") == 1
    assert capsys.readouterr().out == "The gateway has no database.\n"
