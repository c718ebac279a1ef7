"""`env`: makes .env from .env.example, with strong random secrets. An existing .env stays as it is."""

import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

GENERATED: dict[str, Callable[[], str]] = {
    "LITELLM_MASTER_KEY": lambda: f"sk-{secrets.token_hex(32)}",
    "LITELLM_SALT_KEY": lambda: f"sk-{secrets.token_hex(32)}",
    "UI_PASSWORD": lambda: secrets.token_hex(16),
    "POSTGRES_PASSWORD": lambda: secrets.token_hex(32),
    "REDIS_PASSWORD": lambda: secrets.token_hex(32),
    "GRAFANA_PASSWORD": lambda: secrets.token_hex(16),
}


def fill_in(example: str) -> str:
    def value(line: re.Match[str]) -> str:
        return line[0] + GENERATED[line[1]]() if line[1] in GENERATED else line[0]

    return re.sub(r"^(\w+)=$", value, example, flags=re.MULTILINE)


def write(folder: Path) -> None:
    """Raises FileNotFoundError where there is no .env.example."""
    path = folder / ".env"
    content = fill_in((folder / ".env.example").read_text(encoding="utf-8"))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(".env is there already and stays as it is. For a new one, move it away first; keep its LITELLM_SALT_KEY.")
        return
    with open(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)
    print(
        "Wrote .env with new secrets, readable by you alone. Fill in StackSpot's credentials at its top, then: make up"
    )
