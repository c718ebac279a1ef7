"""Prisma's client is imported without its types, and only those are left out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import ROOT

SPARED = "from custom_handlers.litellm_adapter import starting; starting.spare_types(); starting.spare_types()\n"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package `prisma` that says what is imported of it."""
    folder = tmp_path / "prisma"
    folder.mkdir()
    (folder / "__init__.py").write_text("from .client import *\nfrom . import models as models\n")
    (folder / "client.py").write_text("from . import types\nfrom .types import Filter\n")
    (folder / "models.py").write_text("print('models')\n")
    (folder / "types.py").write_text("print('types')\nFilter = int\n")
    return folder


def run(package: Path, code: str) -> str:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(package.parent), str(ROOT)))}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_types_are_not_made(package: Path) -> None:
    code = f"{SPARED}import prisma\nprint(prisma.client.Filter, prisma.types.Other, prisma.types.__spec__.name)"
    assert run(package, code) == "models\ntyping.Any typing.Any prisma.types\n"


def test_without_it_they_are(package: Path) -> None:
    assert run(package, "import prisma") == "types\nmodels\n"


def test_a_module_that_is_not_there_stays_away(package: Path) -> None:
    """As before the client is generated, which LiteLLM and Prisma recognise by that."""
    (package / "types.py").unlink()
    assert "ImportError: cannot import name 'types' from" in run(package, f"{SPARED}import prisma")


def test_what_python_asks_of_a_module_is_no_type(package: Path) -> None:
    code = f"{SPARED}import prisma.types\nprint(hasattr(prisma.types, '__path__'), hasattr(prisma.types, '__all__'))"
    assert run(package, code) == "models\nFalse False\n"
