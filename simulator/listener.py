"""The listening socket, which can go away for a while."""

from __future__ import annotations

import asyncio

from aiohttp import web

# The control call that asks for an outage must have its answer before its own connection goes.
_GRACE = 0.05


class Listener:
    """Where the stand-in listens. During an outage nothing does: callers are refused by the operating system."""

    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        self._runner = runner
        self._host = host
        self._port = port
        self._site: web.TCPSite | None = None
        self._outage: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Listen; the port, which stays the same through outages."""
        self._site = web.TCPSite(self._runner, self._host, self._port, backlog=1024)
        await self._site.start()
        self._port = self._runner.addresses[0][1]
        return self._port

    def plan_outage(self, seconds: float) -> None:
        """Stop listening and drop every connection, in a moment; listen again after `seconds`."""
        self._outage = asyncio.get_running_loop().create_task(self._go_away(seconds))

    async def _go_away(self, seconds: float) -> None:
        await asyncio.sleep(_GRACE)
        if self._site is not None:
            await self._site.stop()
        server = self._runner.server
        for connection in server.connections if server is not None else ():
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(seconds)
        await self.start()
