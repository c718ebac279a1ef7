"""What is decided when the stand-in starts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """One credential: a realm, and a client id with its key (DOC-UP, section 2.1)."""

    realm: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the command line of `python -m simulator` sets."""

    account: Account
    api_key: str
    agents: tuple[str, ...]
    host: str = "127.0.0.1"
    port: int = 0
    pace: float = 0.0
    first_byte_delay: float = 0.0
    token_life: float = 1199.0
    control_token: str | None = None
    model: str = "echo"
    keep: int = 10_000
