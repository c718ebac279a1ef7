"""One process of several that share a pacer: runs callers, and writes a line for each turn, refusal and departure."""

import asyncio
import json
import random
import sys
import time
from contextlib import suppress
from typing import Any

import redis.asyncio

from custom_handlers.pacing.quota import NoTurnError, Quota
from custom_handlers.pacing.shared import RedisPacer


def say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)


async def work(settings: dict[str, Any]) -> None:
    pacer = RedisPacer(
        Quota(**settings["quota"]),
        lambda: redis.asyncio.Redis(port=settings["port"], password=settings["password"]),
        "account",
        settings["window"],
    )
    rng = random.Random(settings["seed"])
    ends = time.monotonic() + settings["seconds"]

    async def caller(key: str) -> None:
        while time.monotonic() < ends:
            asking = asyncio.create_task(pacer.acquire(key))
            if rng.random() < settings["leaving"]:
                await asyncio.wait([asking], timeout=rng.uniform(0, 0.2))
                asking.cancel()
            outcome = "no"
            try:
                turn = await asking
            except NoTurnError:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                outcome = "left"
            else:
                outcome = "went"
                say(outcome=outcome, key=key, at=time.time(), taken=turn.taken, shared=isinstance(turn.grant, str))
                await asyncio.sleep(settings["answer"])
                continue
            say(outcome=outcome, key=key, at=time.time())

    say(outcome="ready")
    await asyncio.gather(*(caller(key) for key in settings["callers"]))
    say(outcome="done", status=(await pacer.status()).shared)
    await pacer.aclose()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(work(json.loads(sys.argv[1])))
