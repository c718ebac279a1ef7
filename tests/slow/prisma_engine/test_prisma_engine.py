"""Which engine Prisma gets: the native one where it can be downloaded, else the one in database/prisma-engine/."""

import gzip
import hashlib
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from database.prisma_engine import PrismaError, choose_engine, npm_install, prisma_environment
from tests.harness import ROOT, clean_environment, free_port

PROGRAM = b"#!/bin/sh\necho query-engine ac9d7041ed77bcc8a8dbd2ab6616b39013829574\n"
PACKED = gzip.compress(PROGRAM)


class Mirror(ThreadingHTTPServer):
    """Prisma's CDN: any program that is asked for, and its checksums."""

    asked: list[str]
    broken = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = PACKED if ".gz" in self.path else PROGRAM
        body = hashlib.sha256(content).hexdigest().encode() if self.path.endswith(".sha256") else content
        self.send_response(503 if self.server.broken and not self.path.endswith(".sha256") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    server = Mirror(("127.0.0.1", 0), Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The engine with its npm packages, and without an engine chosen."""
    folder = tmp_path_factory.mktemp("folder") / "prisma-engine"
    shutil.copytree(ROOT / "database" / "prisma-engine", folder, ignore=shutil.ignore_patterns("node_modules"))
    npm_install(folder)
    return folder


@pytest.fixture
def folder(installed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(installed, tmp_path / "prisma-engine", symlinks=True))


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    """With a home of its own, as Prisma caches there what it downloads."""
    return clean_environment({"HOME": str(tmp_path), **more})


def test_the_native_engine_where_it_can_be_downloaded(
    folder: Path, mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = environ(tmp_path, PRISMA_ENGINES_MIRROR=mirror.url)
    assert choose_engine(folder, variables) == "native"
    downloads = [path for path in mirror.asked if path.endswith(".gz")]
    assert any("/query-engine" in path for path in downloads)
    assert any("/schema-engine" in path for path in downloads), "which migrations need"
    mirror.asked.clear()
    assert choose_engine(folder, variables) == "native"
    assert mirror.asked == [], "found out once"
    assert "fallback" not in capsys.readouterr().out


@pytest.mark.parametrize("trouble", ["unreachable", "breaks off"])
def test_the_fallback_where_it_cannot(
    folder: Path, mirror: Mirror, tmp_path: Path, trouble: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.broken = True
    address = mirror.url if trouble == "breaks off" else f"http://127.0.0.1:{free_port()}"
    variables = environ(tmp_path, PRISMA_ENGINES_MIRROR=address)
    for _ in range(2):
        assert choose_engine(folder, variables) == "fallback"
        assert "production runs the official image" in capsys.readouterr().out, "said each time"
    mirror.broken = False
    mirror.asked.clear()
    assert choose_engine(folder, variables) == "fallback"
    assert mirror.asked == [], "tried once"


def test_the_choice_can_be_made_by_hand(folder: Path, tmp_path: Path) -> None:
    assert choose_engine(folder, environ(tmp_path, PRISMA_ENGINE="fallback")) == "fallback"
    assert not (folder / "node_modules" / ".engine").exists()
    with pytest.raises(PrismaError, match="PRISMA_ENGINE is 'rust': it has to be native or fallback"):
        choose_engine(folder, environ(tmp_path, PRISMA_ENGINE="rust"))


def test_packages_are_installed_once_for_each_lock_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    npm_install(folder)
    (folder / "package-lock.json").write_text("{}")
    with pytest.raises(PrismaError, match=r"`node` is missing: .* needs Node.js 18 or newer with npm"):
        npm_install(folder)


def test_what_litellm_is_told(tmp_path: Path) -> None:
    variables = prisma_environment(ROOT, clean_environment({"PRISMA_ENGINE": "fallback"}))
    assert variables["PRISMA_QUERY_ENGINE_BINARY"] == str(ROOT / "database" / "prisma-engine" / "query-engine.js")
    assert variables["PRISMA_CLI_PATH"] == str(ROOT / "database" / "prisma-engine" / "migrate.py")
    assert variables["PRISMA_OFFLINE_MODE"] == "true"
