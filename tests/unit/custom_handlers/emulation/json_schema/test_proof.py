"""Checks in a process of their own: the same verdict, and an end in any case."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from custom_handlers.emulation.json_schema import proof
from custom_handlers.emulation.json_schema.proof import prove
from tests.harness import ROOT
from tests.sampling import first
from tests.unit.custom_handlers.emulation.json_schema.test_schema import ENDLESS, deep


def children() -> set[int]:
    """The checking processes that this one has started and that have not ended."""
    found: set[int] = set()
    for listed in Path("/proc/self/task").glob("*/children"):
        found |= {int(pid) for pid in listed.read_text().split() if is_check(int(pid))}
    return found


def is_check(pid: int) -> bool:
    """Other tests have left servers running."""
    try:
        return proof.__name__.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


async def test_the_verdict_is_reported_in_words_for_the_model() -> None:
    schema = {"type": "array", "items": {"type": "integer"}}
    assert await prove(schema, [1] * 20_000) is None
    assert await prove(schema, [1] * 20_000 + ["x"]) == "$[20000]: 'x' is not of type 'integer'"


@pytest.mark.parametrize("value", [10**100, "\ud800", {"a": [{"b": None}]}])
async def test_any_json_gets_there(value: Any) -> None:
    assert await prove({"const": value}, value) is None
    told = await prove({"const": 0}, value)
    assert told
    assert told.endswith("is not 0")


async def test_deep_values_have_the_stack_they_need() -> None:
    value: Any = 5
    for _ in range(300):
        value = {"a": value}
    node = {"type": "object", "properties": {"a": {"allOf": [{"$ref": "#"}]}}}
    told = await prove(node, value)
    assert told
    assert told.startswith("$.a.a.a.")


@pytest.mark.parametrize(
    ("schema", "value"),
    first(
        [
            ({"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, 1),
            ({"type": "integer"}, object()),
            ({"pattern": "^(a|aa)+$"}, "a" * 60 + "!"),
            (ENDLESS, deep(40)),
        ],
        2,
    ),
)
async def test_what_cannot_be_decided_counts_as_fitting(
    monkeypatch: pytest.MonkeyPatch, schema: Any, value: Any
) -> None:
    monkeypatch.setattr(proof, "_SECONDS", 1.0)
    assert await prove(schema, value) is None
    assert not children()


async def test_the_process_ends_with_its_caller() -> None:
    task = asyncio.create_task(prove({"pattern": "^(a|aa)+$"}, "a" * 60 + "!"))
    while not children():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not children()


async def test_two_at_once_are_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "_SECONDS", 0.5)
    tasks = [asyncio.create_task(prove({"pattern": "^(a|aa)+$"}, "a" * 60 + "!")) for _ in range(4)]
    most = 0
    while not all(task.done() for task in tasks):
        most = max(most, len(children()))
        await asyncio.sleep(0.01)
    assert most == 2
    assert [await task for task in tasks] == [None] * 4


async def test_the_process_knows_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []
    start = asyncio.create_subprocess_exec

    async def noted(*arguments: Any, env: dict[str, str], **options: Any) -> Any:
        seen.append(env)
        return await start(*arguments, env=env, **options)

    monkeypatch.setenv("STACKSPOT_CLIENT_KEY", "secret")
    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    assert await prove({"type": "integer"}, "x")
    assert "secret" not in str(seen)


def test_it_starts_without_litellm() -> None:
    """Which alone takes seconds."""
    code = f"import sys; import {proof.__name__}; sys.exit('litellm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
