"""The machine's clock can jump by an hour: what waits, paces or expires has one that cannot."""

import ast
from collections.abc import Iterator

from tests.harness import ROOT

WALL_CLOCKS = {
    "datetime": {"now", "today", "utcnow"},
    "time": {"ctime", "gmtime", "localtime", "strftime", "time", "time_ns"},
}
# Answers say when they were made, the log when somebody asked, and LiteLLM's jobs are moved when the clock jumps.
MAY_READ_THEM = {"litellm_adapter/clock.py", "litellm_adapter/responses.py", "litellm_adapter/timing.py"}


def wall_clocks(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in WALL_CLOCKS.get(ast.unparse(node.value).split(".")[-1], ()):
            yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"time.{name.name}" for name in node.names if name.name in WALL_CLOCKS["time"])


def test_each_way_to_read_one_is_seen() -> None:
    ways = (
        *("time.time()", "time.time_ns()", "started = time.time", "time.strftime('%H')", "from time import time"),
        *("datetime.now(UTC)", "datetime.datetime.now()", "datetime.utcnow()"),
    )
    assert [way for way in ways if not list(wall_clocks(ast.parse(way)))] == []
    assert list(wall_clocks(ast.parse("time.monotonic(); from time import sleep; self.time(); datetime.max"))) == []


def test_nothing_else_reads_a_clock_that_can_jump() -> None:
    code = ROOT / "custom_handlers"
    found = {
        str(path.relative_to(code)) for path in code.rglob("*.py") if list(wall_clocks(ast.parse(path.read_text())))
    }
    assert found == MAY_READ_THEM
