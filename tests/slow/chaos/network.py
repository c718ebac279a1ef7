"""A small TCP proxy in front of the simulator that does to connections what networks do."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
SLOW_SECONDS = 0.4  # between two bytes
# In which a busy gateway has noticed that its idle connections have ended.
NOTICED_SECONDS = 0.3
# Bytes of a streamed body: the first deltas are through, and more is to come.
SOME_BODY = 250

PASS, REFUSE, GARBAGE, BUFFER, KEEP_OPEN = "pass", "refuse", "garbage", "buffer", "keep open"
RESET_BEFORE, RESET_IN_HEAD, RESET_IN_BODY = "reset before the head", "reset in the head", "reset in the body"
CLOSE_IN_BODY = "close in the body"
HALF_OPEN, HALF_OPEN_IN_BODY = "half-open", "half-open in the body"
SLOW_HEAD, SLOW_BODY = "slow head", "slow body"


class FaultProxy:
    """Listens on a port of its own; `mode` holds for requests from then on, and ends the connections there are."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._mode = PASS
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()  # the loop itself would forget one that waits for ever
        self.port = 0
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self._listen())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def be(self, mode: str) -> None:
        self._do(self._change(mode))
        time.sleep(NOTICED_SECONDS)

    def close(self) -> None:
        self._do(self._change(REFUSE))
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _change(self, mode: str) -> None:
        self._mode = mode
        for task in self._serving:
            task.cancel()
        if mode == REFUSE and self._server:
            self._server.close()
            self._server = None
        elif self._server is None:
            await self._listen()

    async def _end(self) -> None:
        """Lets all connections go, so that nothing is left when the loop stops."""
        while left := asyncio.all_tasks() - {asyncio.current_task()}:  # one that ends may have begun another
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mode, task = self._mode, asyncio.current_task()
        assert task
        self._serving.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._between(reader, writer, mode)
        finally:
            self._serving.discard(task)
            writer.transport.abort()

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mode: str) -> None:
        if mode in (HALF_OPEN, RESET_BEFORE, GARBAGE):
            await reader.readuntil(HEAD_END)
            if mode == HALF_OPEN:
                await asyncio.Event().wait()
            if mode == GARBAGE:
                writer.write(b"\x16\x03\x01 this is no HTTP at all\r\n\r\n")
                await writer.drain()
                return
            reset(writer)
            return
        other, upstream = await asyncio.open_connection(self._upstream.hostname, self._upstream.port)
        asking = asyncio.create_task(_copy(reader, upstream))
        try:
            await _answers(other, writer, mode)
        finally:
            asking.cancel()
            upstream.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mode: str) -> None:
    """One answer as `mode` has it; in the modes PASS and BUFFER all that follow on the connection, too."""
    if mode == PASS:
        await _copy(reader, writer)
        return
    while mode == BUFFER:
        await _whole(await reader.readuntil(HEAD_END) + await reader.readuntil(LAST_CHUNK), writer)
    head = await reader.readuntil(HEAD_END)
    if mode == RESET_IN_HEAD:
        writer.write(head[:20])
        await writer.drain()
        await asyncio.sleep(0.05)  # otherwise the reset overtakes it
        reset(writer)
        return
    if mode == KEEP_OPEN:
        await _whole(head + (await reader.readuntil(LAST_CHUNK)).removesuffix(LAST_CHUNK), writer)
        await asyncio.sleep(60)
        return
    await (_drip(head, writer) if mode == SLOW_HEAD else _whole(head, writer))
    if mode == SLOW_BODY:
        while data := await reader.read(1024):
            await _drip(data, writer)
        return
    await _whole(await reader.readexactly(SOME_BODY), writer)
    if mode == HALF_OPEN_IN_BODY:
        await asyncio.Event().wait()
    await asyncio.sleep(0.05)
    if mode == RESET_IN_BODY:
        reset(writer)
    else:
        writer.close()


async def _whole(data: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(data)
    await writer.drain()


async def _drip(data: bytes, writer: asyncio.StreamWriter) -> None:
    for at in range(len(data)):
        await _whole(data[at : at + 1], writer)
        await asyncio.sleep(SLOW_SECONDS)


def reset(writer: asyncio.StreamWriter) -> None:
    """Closes with a TCP reset: lingering for zero seconds makes one of close()."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
