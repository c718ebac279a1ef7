"""The script of the shared state as a function: a Reply comes out, or AwayError is raised."""

import asyncio
import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError, ResponseError

from custom_handlers.pacing import pace
from custom_handlers.pacing.quota import Quota

SCRIPT = Path(__file__).with_name("shared_state.lua").read_text(encoding="utf-8")
CALL_SECONDS = 2.0  # a call that takes longer means that Redis is away
GRACE_SECONDS = 3.0  # after a turn has come, until its process is taken for dead
DEAD_SECONDS = 90.0  # without any sign of life
FORGET_SECONDS = 600
_PARTS = ("state", "order", "lines", "keys", "log", "requests", "processes", "channel")


class AwayError(Exception):
    """Redis does not answer."""


@dataclass(frozen=True, slots=True)
class Next:
    """Whose turn is next, and in how many seconds. `request` is empty when nobody waits."""

    process: str
    request: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What a step came to. `number` means what the step says, `now` is Redis' time, `rest` the status' own."""

    outcome: str
    number: float
    rate: float
    processes: int
    epoch: str
    next: Next
    now: float
    rest: list[Any]


class Script:
    """The script for one account, over one client of Redis."""

    def __init__(self, redis: Any, account: str, quota: Quota, window: float) -> None:
        self._redis = redis
        self._script = redis.register_script(SCRIPT)
        self._keys = [f"{{stackspot-pacing:{account}}}:{part}" for part in _PARTS]
        self._settings = json.dumps(settings_for(quota, window))
        self.channel = self._keys[-1]

    async def __call__(self, step: str, process: str, epoch: str, *arguments: Any) -> Reply:
        """Raises AwayError."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                found = await self._script(self._keys, [step, self._settings, process, epoch, *arguments])
        except ResponseError as error:
            if "user_script" in str(error):  # a state of which Redis has dropped a part: better none
                with contextlib.suppress(RedisError, OSError, TimeoutError):
                    async with asyncio.timeout(CALL_SECONDS):
                        await self._redis.unlink(*self._keys)
            raise AwayError(type(error).__name__) from None
        except (RedisError, OSError, TimeoutError) as error:
            raise AwayError(type(error).__name__) from None
        outcome, epoch, owner, request = (found[place].decode() for place in (0, 4, 5, 6))
        number, rate, seconds, now = (float(found[place]) for place in (1, 2, 7, 8))
        turn = Next(owner, request, seconds)
        return Reply(outcome, number, rate, int(found[3]), epoch, turn, now, found[9:])


def settings_for(quota: Quota, window: float) -> dict[str, float]:
    """What the script has to know."""
    return {
        "full": quota.per_minute,
        "burst": quota.burst,
        "window": window,
        "max_queue": quota.max_queue,
        "decrease": pace.DECREASE,
        "regain": pace.REGAIN,
        "quiet": pace.QUIET,
        "longest_hold": pace.LONGEST_HOLD,
        "forgiven": pace.FORGIVEN,
        "least": pace.LEAST,
        "grace": GRACE_SECONDS,
        "dead": DEAD_SECONDS,
        "forget": FORGET_SECONDS,
    }
