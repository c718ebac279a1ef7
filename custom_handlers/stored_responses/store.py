"""What both stores of values have in common. Values are bytes under a name, each belonging to an owner."""

from collections.abc import Mapping, Sequence
from typing import Protocol

MEGABYTE = 1024 * 1024
# For one owner; what has not been used for longest goes first.
MOST_VALUES = 4000
MOST_BYTES = 32 * MEGABYTE
# For all owners of one process, where there is no Redis.
MOST_BYTES_IN_PROCESS = 128 * MEGABYTE


class UnreachableError(Exception):
    """The store does not answer."""


class Store(Protocol):
    """Keeps each value for a time after it was last used. All methods raise UnreachableError."""

    async def get(self, owner: str, names: Sequence[str]) -> list[bytes | None]:
        """The values in the order of `names`; None for what is not there, or is another owner's."""

    async def put(self, owner: str, values: Mapping[str, bytes]) -> None: ...

    async def delete(self, owner: str, names: Sequence[str]) -> None: ...
