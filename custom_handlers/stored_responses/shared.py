"""The store of all workers and replicas: in Redis, sealed."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

from custom_handlers.stored_responses.sealing import Seal
from custom_handlers.stored_responses.store import MOST_BYTES, MOST_VALUES, UnreachableError

SCRIPT = Path(__file__).with_name("shared_values.lua").read_text(encoding="utf-8")
CALL_SECONDS = 5.0
_LARGE = 256 * 1024  # bytes, from which sealing takes longer than others should wait


class RedisStore:
    """`connect` makes a client of `redis.asyncio`; `seal` is the same in all processes."""

    def __init__(
        self,
        seconds: int,
        connect: Callable[[], Any],
        seal: Seal,
        *,
        most_bytes: int = MOST_BYTES,
        most_values: int = MOST_VALUES,
    ) -> None:
        self._settings = (seconds, most_bytes, most_values)
        self._connect, self._seal = connect, seal
        self._script: Any = None

    async def get(self, owner: str, names: Sequence[str]) -> list[bytes | None]:
        found = await self._call(owner, "get", *names)
        return [None if value is None else await _aside(self._seal.opened, owner, value) for value in found]

    async def put(self, owner: str, values: Mapping[str, bytes]) -> None:
        sealed = [(name, await _aside(self._seal.sealed, owner, value)) for name, value in values.items()]
        await self._call(owner, "put", *(part for pair in sealed for part in pair))

    async def delete(self, owner: str, names: Sequence[str]) -> None:
        await self._call(owner, "delete", *names)

    async def _call(self, owner: str, step: str, *arguments: str | bytes) -> list[Any]:
        try:
            if self._script is None:
                self._script = self._connect().register_script(SCRIPT)
            async with asyncio.timeout(CALL_SECONDS):
                found: list[Any] = await self._script(
                    [f"stackspot-responses:{{{owner}}}"], [step, *self._settings, *arguments]
                )
                return found
        except (RedisError, OSError, TimeoutError) as error:
            raise UnreachableError(type(error).__name__) from None


async def _aside(work: Callable[[str, bytes], Any], owner: str, value: bytes) -> Any:
    if len(value) < _LARGE:
        return work(owner, value)
    return await asyncio.to_thread(work, owner, value)
