"""Everything that the stand-in remembers, and the first steps that every request goes through."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from simulator.api.errors import ConnectionDroppedError, RefusedError, scripted, unauthorized
from simulator.control.fault_store import EVERY_AGENT, SERVICES, FaultStore, for_account
from simulator.control.faults import Faults
from simulator.control.replies import ReplyQueue
from simulator.control.request_log import Record, RequestLog
from simulator.control.token_store import TokenStore
from simulator.listener import Listener
from simulator.model.models import Model, find_model
from simulator.settings import Account, Settings


class Window:
    """A sliding window of admitted calls per account, all agents together (MIDIR)."""

    def __init__(self) -> None:
        self._admitted: dict[object, deque[float]] = {}

    def admits(self, who: object, limit: int, seconds: float) -> bool:
        """Whether one more call of `who` is within `limit`; counts it if so."""
        now = time.monotonic()
        calls = self._admitted.setdefault(who, deque())
        while calls and calls[0] <= now - seconds:
            calls.popleft()
        if len(calls) >= limit:
            return False
        calls.append(now)
        return True


@dataclass(slots=True)
class Upload:
    """A file on its way: what the form was asked for, and the bytes once the storage has them."""

    id: str
    asked: dict[str, Any]
    form: dict[str, str]
    data: bytes | None = None


@dataclass(slots=True)
class Execution:
    """A quick command under way; `polls` says how often it was asked after."""

    id: str
    slug: str
    conversation_id: str | None
    result: str
    fails: bool
    started: float
    polls: int = 0


@dataclass(slots=True)
class State:
    """One per process."""

    settings: Settings
    tokens: TokenStore
    request_log: RequestLog
    model: Model
    model_name: str
    agents: set[str]
    owners: dict[str, str] = field(default_factory=dict)
    """The client id that an agent is shared with; an agent that is not here is everybody's."""
    keys: dict[str, str] = field(default_factory=dict)
    """The client id that each further key of the key API belongs to."""
    answers: ReplyQueue = field(default_factory=ReplyQueue)
    faults: FaultStore = field(default_factory=FaultStore)
    window: Window = field(default_factory=Window)
    uploads: dict[str, Upload] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    open_streams: int = 0
    most_streams: int = 0
    listener: Listener | None = None

    @classmethod
    def of(cls, settings: Settings) -> State:
        """A fresh world."""
        return cls(
            settings=settings,
            tokens=TokenStore(settings.account, settings.token_life),
            request_log=RequestLog(settings.keep),
            model=find_model(settings.model),
            model_name=settings.model,
            agents=set(settings.agents),
        )

    def reset(self) -> None:
        """As freshly started, but for tokens issued (also those revoked), and accounts and agents already added."""
        self.request_log.clear()
        self.answers.clear()
        self.faults.clear()
        self.window = Window()
        self.uploads.clear()
        self.executions.clear()
        self.tokens.forget_counts()
        self.tokens.restore()
        self.tokens.cut_off.clear()
        self.most_streams = self.open_streams
        self.model, self.model_name = find_model(self.settings.model), self.settings.model


STATE: web.AppKey[State] = web.AppKey("world", State)
RECORD = "simulator.record"
FAULTS = "simulator.faults"


def state_of(request: web.Request) -> State:
    return request.app[STATE]


def record_of(request: web.Request) -> Record:
    record: Record = request[RECORD]
    return record


def faults_for(request: web.Request, target: str, client_id: str | None = None) -> Faults:
    """The faults for this request to `target`: an agent's id, or the name of another service, perhaps one account's."""
    state = state_of(request)
    targets = (target,) if target in SERVICES else (target, EVERY_AGENT)
    if client_id:
        targets = (for_account(target, client_id), *targets)
    faults: Faults = state.faults.take(*targets)
    request[FAULTS] = faults
    return faults


def bearer_account(request: web.Request) -> Account:
    """The account whose token the request carries, or `RefusedError` with 401."""
    account = state_of(request).tokens.owner(request.headers.get("Authorization"))
    if account is None:
        raise RefusedError(unauthorized())
    return account


async def come_between(request: web.Request, faults: Faults, openai: bool = False) -> None:
    """Play the faults that replace a whole answer: returns after the delay, or raises.

    `RefusedError` holds the response, `ConnectionDroppedError` says that there is none.
    """
    if faults.header_delay:
        await asyncio.sleep(faults.header_delay)
    if faults.disconnect is not None:
        drop(request, reset=faults.disconnect == "reset")
        raise ConnectionDroppedError
    response = scripted(faults, openai)
    if response is not None:
        raise RefusedError(response)


def drop(request: web.Request, reset: bool = False) -> None:
    """Close the connection under the response, with a TCP reset if `reset`."""
    transport = request.transport
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if reset and sock is not None:
        # Lingering for zero seconds is what makes close() send a reset.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
