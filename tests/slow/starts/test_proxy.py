"""The gateway's own command leaves out of LiteLLM what nothing reads."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from database.prisma_engine import prisma_environment
from tests.harness import ROOT, clean_environment

NAMES = {"types", "prisma_types"}
STATE = """
import gc, sys
from custom_handlers.litellm_adapter import starting
starting.import_proxy()
from prisma import Prisma, types
print(gc.isenabled(), gc.get_freeze_count() > 100_000, types.LiteLLM_UserTableInclude)
"""


def package(name: str) -> Path:
    spec = find_spec(name)
    assert spec
    assert spec.origin
    return Path(spec.origin).parent


def never_evaluated(tree: ast.AST, *, postponed: bool) -> Iterator[ast.AST]:
    """Annotations of parameters and of answers, those of a function's own names, and what `cast` casts to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = node.args
            if postponed:
                every = (*arguments.args, *arguments.posonlyargs, *arguments.kwonlyargs)
                yield from (each.annotation for each in every if each.annotation)
                yield from [node.returns] if node.returns else []
            yield from (each.annotation for each in ast.walk(node) if isinstance(each, ast.AnnAssign))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cast":
            yield node.args[0]
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from node.body


def evaluated(path: Path) -> set[str]:
    source = path.read_text()
    tree = ast.parse(source)
    skipped: set[int] = set()
    for each in never_evaluated(tree, postponed="from __future__ import annotations" in source):
        skipped.update(id(node) for node in ast.walk(each))
    return {
        f"{path.name}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in NAMES
        and id(node) not in skipped
    }


def test_nothing_reads_the_types_at_run_time() -> None:
    prisma_environment(ROOT, clean_environment({}))
    client = package("prisma")
    found = {place for path in client.glob("*.py") if path.name != "types.py" for place in evaluated(path)}
    for path in package("litellm").rglob("*.py"):
        if "prisma_types" in (text := path.read_text(errors="replace")) or "from prisma.types" in text:
            found |= evaluated(path)
    assert not found


def test_the_import_leaves_collection_on() -> None:
    prisma_environment(ROOT, clean_environment({}))
    command = [sys.executable, "-c", STATE]
    done = subprocess.run(command, cwd=ROOT, env=clean_environment({}), capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "True True typing.Any", done.stderr
