"""Plays a plan on a connection: the only place that writes bodies, waits between writes, and breaks off."""

from __future__ import annotations

import asyncio

from aiohttp import web

from simulator.api.errors import ConnectionDroppedError
from simulator.api.flood import flood
from simulator.api.plan import Ending, Plan
from simulator.control.faults import Faults
from simulator.state import drop, record_of, state_of
from simulator.usage import Usage

# Endless empties without a pause would only burn the processor of whoever runs the test.
_LEAST_FILLER_PAUSE = 0.005


async def send_stream(request: web.Request, plan: Plan, faults: Faults, usage: Usage | None) -> web.StreamResponse:
    """Stream `plan`; the request log has each write before it is made, so that no caller is ahead of it."""
    state = state_of(request)
    headers = {"Content-Type": faults.stream_content_type, "Cache-Control": "no-cache"}
    response = web.StreamResponse(headers={**headers, **(faults.headers or {})})
    state.open_streams += 1
    state.most_streams = max(state.most_streams, state.open_streams)
    try:
        await _send_writes(request, response, plan, faults, usage)
    finally:
        state.open_streams -= 1
    return response


async def _send_writes(
    request: web.Request, response: web.StreamResponse, plan: Plan, faults: Faults, usage: Usage | None
) -> None:
    record = record_of(request)
    pause, first_pause = _pauses(request, faults)
    record.status = 200
    await response.prepare(request)
    if first_pause:
        await asyncio.sleep(first_pause)
    for block in flood(faults.flood, faults.flood_bytes) if faults.flood else ():
        await response.write(block)
    last = len(plan.writes) - 1
    begun = False
    for at, write in enumerate(plan.writes):
        if write.deltas:
            if begun and pause:
                await asyncio.sleep(pause)
            begun = True
            record.deltas += write.deltas
        if faults.cut_bytes is not None:
            await asyncio.sleep(0)
        if write.reports_usage:
            record.usage = _reported(usage)
        record.complete = at == last and plan.ending is Ending.COMPLETE
        await response.write(write.data)
    await _end(request, response, plan, pause)


async def _end(request: web.Request, response: web.StreamResponse, plan: Plan, pause: float) -> None:
    match plan.ending:
        case Ending.COMPLETE:
            record_of(request).complete = True
            await response.write_eof()
        case Ending.BREAK:
            drop(request)
        case Ending.STALL:
            await asyncio.Event().wait()
        case Ending.ENDLESS:
            while True:
                await asyncio.sleep(max(pause, _LEAST_FILLER_PAUSE))
                await response.write(plan.filler)


async def send_plain(
    request: web.Request, plan: Plan, size: int, writes: int, faults: Faults, usage: Usage | None
) -> web.StreamResponse:
    """Answer with one JSON body of `size` bytes after the time that `writes` streamed writes would have taken.

    The gateway drops a call that takes longer than about 120 s with no response at all (GAMBI).
    """
    record = record_of(request)
    pause, first_pause = _pauses(request, faults)
    needed = first_pause + pause * max(writes - 1, 0)
    if faults.non_streaming_limit is not None and needed > faults.non_streaming_limit:
        await asyncio.sleep(faults.non_streaming_limit)
        drop(request)
        raise ConnectionDroppedError
    if needed:
        await asyncio.sleep(needed)
    record.status = 200
    if plan.ending is Ending.COMPLETE:
        record.usage, record.complete = _reported(usage), True
        return web.Response(body=plan.writes[0].data, content_type="application/json")
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(size)})
    await response.prepare(request)
    await response.write(plan.writes[0].data)
    await _end(request, response, plan, pause)
    return response


def _pauses(request: web.Request, faults: Faults) -> tuple[float, float]:
    settings = state_of(request).settings
    pause = settings.pace if faults.delta_delay is None else faults.delta_delay
    first = settings.first_byte_delay if faults.first_byte_delay is None else faults.first_byte_delay
    return pause, first


def _reported(usage: Usage | None) -> dict[str, int] | None:
    return None if usage is None else {"input": usage.input, "output": usage.output}
