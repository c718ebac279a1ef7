"""A database for LiteLLM on one machine: the one in DATABASE_URL, else an embedded Postgres in `.data/postgres`.

    with database(root) as variables:
        subprocess.run(["litellm", ...], env={**os.environ, **variables})

`python -m scripts.database remove` deletes the embedded one (`make clean-data`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.postgres import PostgresError, Server
from scripts.prisma_engine import PrismaError, prisma_environment

__all__ = ["DatabaseError", "data_folder", "database"]

DatabaseError = (PostgresError, PrismaError)


def data_folder(root: Path) -> Path:
    return root / ".data" / "postgres"


@contextmanager
def database(root: Path, environ: Mapping[str, str] = os.environ, data: Path | None = None) -> Iterator[dict[str, str]]:
    """The variables that LiteLLM needs, valid for as long as the block lasts; `data` is another folder for the data."""
    variables = prisma_environment(root, environ)
    if address := environ.get("DATABASE_URL"):
        yield {**variables, "DATABASE_URL": address}
        return
    with Server(data or data_folder(root)).running() as address:
        yield {**variables, "DATABASE_URL": address}


def remove(root: Path) -> int:
    folder = data_folder(root)
    try:
        removed = Server(folder).remove()
    except PostgresError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Removed {folder}: keys, teams and usage are gone." if removed else "There is no embedded database.")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] != ["remove"]:
        sys.exit("usage: python -m scripts.database remove")
    sys.exit(remove(Path.cwd()))
