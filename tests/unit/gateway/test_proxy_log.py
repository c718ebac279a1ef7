"""What `run` shows of all that the proxy prints, and where the rest is."""

import io
import json
import os
import stat
from pathlib import Path

import pytest

from gateway import proxy_log
from gateway.proxy_log import ProxyLog, said
from gateway.run import greeting


def record(level: str, message: str, **more: str) -> str:
    return json.dumps({"message": message, "level": level, "component": "LiteLLM", **more})


@pytest.mark.parametrize("ready", [True, False])
def test_a_line_of_the_log(ready: bool) -> None:
    assert said(record("INFO", "Started server process [1]"), ready=ready) == ""
    assert said(record("WARNING", "Redis is\naway\x1b[1m"), ready=ready) == "WARNING: Redis is away?[1m"
    told = said(record("ERROR", "It broke", stacktrace="Traceback ..."), ready=ready)
    assert told == "ERROR: It broke (with a traceback in the log)"
    assert said(record("INFO", "key=ines", component="stackspot_access"), ready=ready) == "key=ines"
    assert said("INFO:stackspot_access:key=ines", ready=ready) == "INFO:stackspot_access:key=ines"


def test_what_is_no_line_of_the_log() -> None:
    assert said(" Thank you for using LiteLLM!", ready=False) == ""
    assert said("Segmentation fault", ready=True) == "Segmentation fault"
    assert said("INFO:     127.0.0.1:1 - GET /", ready=True) == ""
    assert said("[1, 2]", ready=True) == "[1, 2]"


def test_all_of_it_is_in_the_file(tmp_path: Path) -> None:
    file, shown = tmp_path / ".data" / "gateway.log", list[str]()
    file.parent.mkdir()
    file.write_text("of an earlier start\n")
    lines = ["banner", record("INFO", "one"), record("ERROR", "two"), "last words"]
    log = ProxyLog(file, shown.append)
    log.follow(io.BytesIO("\n".join([*lines, ""]).encode() + b"\xff")).join()
    assert shown == ["ERROR: two"]
    assert file.read_bytes() == "\n".join(["of an earlier start", *lines, ""]).encode() + b"\xff"
    assert log.of_this_start() == "banner\nlast words\n\ufffd"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_with_debug_everything_is_shown(tmp_path: Path) -> None:
    shown = list[str]()
    ProxyLog(tmp_path / "log", shown.append, everything=True).follow(io.BytesIO(b"banner\n{}\n")).join()
    assert shown == ["banner", "{}"]


def test_a_large_file_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_log, "KEPT", 10)
    log = ProxyLog(tmp_path / "log", print)
    log.follow(io.BytesIO(b"123456789012\nsecond\nthird\n")).join()
    assert (tmp_path / "log.1").read_text() == "123456789012\n"
    assert (tmp_path / "log").read_text() == "second\nthird\n"
    assert log.of_this_start() == "second\nthird"


def test_a_terminal_that_is_gone_does_not_stop_the_proxy(tmp_path: Path) -> None:
    def gone(line: str) -> None:
        raise BrokenPipeError

    reading, writing = os.pipe()
    thread = ProxyLog(tmp_path / "log", gone).follow(os.fdopen(reading, "rb"))
    with os.fdopen(writing, "wb") as proxy:
        for _ in range(200):  # more than a pipe holds
            proxy.write(record("ERROR", "x" * 1000).encode() + b"\n")
    thread.join(30)
    assert not thread.is_alive()


def test_the_three_lines() -> None:
    url = "http://127.0.0.1:4000"
    with_database = greeting(url, {"DATABASE_URL": "postgresql://", "UI_USERNAME": "eva", "UI_PASSWORD": "s3cret"})
    assert with_database == [
        "The gateway is ready:  http://127.0.0.1:4000/v1",
        "Admin UI:              http://127.0.0.1:4000/ui (login: eva, with the password in UI_PASSWORD)",
        "Next:                  make key NAME=you",
    ]
    without = greeting(url, {})
    assert len(without) == 3
    assert "ui" not in "".join(without[1:])
