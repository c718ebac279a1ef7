"""The guard itself: an ASGI app around LiteLLM's, which sees a request before anything of LiteLLM does."""

from __future__ import annotations

import logging
from typing import Any

import orjson

from custom_handlers.config.request_limits import MEGABYTE, RequestLimits
from custom_handlers.core import masking, notes
from custom_handlers.guard import (
    asking,
    banner,
    chat,
    completions,
    counting,
    error_headers,
    fields,
    headers,
    keeping,
    keys,
    messages,
    replies,
    responses,
    routes,
    stored_reading,
)
from custom_handlers.guard import body as bodies
from custom_handlers.guard.access_log import AccessLog, Entry
from custom_handlers.guard.answering import Incoming, Outgoing, answer, close_websocket
from custom_handlers.guard.asgi_types import App, Message, Receive, Scope, Send
from custom_handlers.guard.rejection import RejectedError
from custom_handlers.guard.routes import Kind, Route
from custom_handlers.guard.stored import Memory, Turn
from custom_handlers.guard.unknown_keys import UnknownKeys
from custom_handlers.stored_responses.responses import owner_of

logger = logging.getLogger("stackspot_guard")

PREPARE = {
    "chat": chat.prepare,
    "completions": completions.prepare,
    "messages": messages.prepare,
    "count_tokens": counting.prepare,
    "responses": responses.prepare,
}
MANAGEMENT_MEGABYTES = 1


class Guard:
    """Passes on what may pass, as it may pass; answers the rest itself."""

    def __init__(
        self,
        app: App,
        limits: RequestLimits,
        memory: Memory | None = None,
        *,
        mask_personal_data: bool = False,
        default_prices: bool = True,
        log: AccessLog | None = None,
    ) -> None:
        self.app = app
        self._limits, self._memory, self._log = limits, memory, log
        self._masks = mask_personal_data
        self._default_prices = default_prices
        self._unknown_keys = UnknownKeys()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await close_websocket(scope, receive, send)
        elif scope["type"] != "http":
            await self.app(scope, receive, send)
        else:
            outgoing, noted, entry = Outgoing(send), notes.begin(), Entry()
            try:
                await self._http(scope, receive, entry.watch(outgoing) if self._log else outgoing, noted, entry)
            except Exception:
                # Starlette raises again what it has answered with a 500, and the server would reset the connection.
                if not outgoing.ended:
                    raise
            finally:
                if self._log:
                    self._log.write(entry, noted)

    async def _http(self, scope: Scope, receive: Receive, send: Send, noted: notes.Notes, entry: Entry) -> None:
        incoming, path = Incoming(receive), _path_in_app(scope)
        try:
            route = routes.find(scope["method"], path, preflight=_is_preflight(scope))
            entry.surface = route.surface or ""
            if route.kind is not Kind.OPEN:
                calls_models = route.kind in (Kind.SURFACE, Kind.READ)
                send = self._unknown_keys.check(scope["headers"], send, management=not calls_models)
            if route.kind is Kind.STORED:
                await answer(incoming, send, 200, await self._stored(route, scope))
                return
            passed, receive, body, turn = await self._sifted(route, scope, incoming)
        except bodies.DisconnectedError:
            return
        except asking.RefusedError as refused:
            for message in refused.messages:
                await send(message)
            return
        except RejectedError as rejected:
            logger.info("Refused with %d: %s", rejected.status, rejected.message)
            entry.surface = entry.surface or "-"
            await answer(incoming, send, rejected.status, rejected.body(routes.shape_of(path)), rejected.headers)
            return
        if route.path == banner.PATH:
            send = banner.told(send, default_prices=self._default_prices)
        if route.surface and body is not None:
            entry.model = str(body.get("model") or "")
            send = error_headers.with_noted_headers(send, noted)
            if self._memory and turn:
                send = keeping.keeping(send, self._memory, turn, streamed=body.get("stream") is True)
            send = replies.mend(route.surface, body, send)
        await self.app(passed, receive, send)

    async def _sifted(
        self, route: Route, scope: Scope, receive: Receive
    ) -> tuple[Scope, Receive, dict[str, Any] | None, Turn | None]:
        """What LiteLLM is given in place of the request; the body, of a surface; what may be kept of its answer."""
        given = dict(scope["headers"])
        match route.kind:
            case Kind.SURFACE if route.surface:
                kept = headers.sift(scope["headers"])
                body = await bodies.read_object(receive, given, self._limits)
                fields.sift(route.surface, body, self._limits)
                if self._masks:  # here, so that neither LiteLLM nor what it writes has seen the numbers
                    body = await masking.masked_body(body)
                if route.model:
                    body["model"] = route.model
                turn = None
                if self._memory and route.surface == "responses":
                    turn = await self._memory.completed(body, lambda: self._owner(scope))
                    if self._masks and turn.completed:  # earlier answers may hold some, which the model wrote
                        body = await masking.masked_body(body)
                if prepare := PREPARE.get(route.surface):
                    prepare(body)
                encoded = orjson.dumps(body)
                return _passed(scope, route, kept, encoded), _replayed(encoded, receive), body, turn
            case Kind.READ:
                kept = headers.sift(scope["headers"])
                return (
                    _passed(scope, route, kept) | {"query_string": scope["query_string"]},
                    _replayed(b"", receive),
                    None,
                    None,
                )
            case Kind.DOCUMENTATION if not await self._is_administrator(scope):
                raise RejectedError(401, "This page is for administrators: send the master key.", code="unauthorized")
            case Kind.KEY:
                encoded = orjson.dumps(keys.with_routes(route.path, await self._management_body(receive, given)))
                return _with_body(scope, encoded), _replayed(encoded, receive), None, None
            case _:
                return scope, _limited(receive, given), None, None

    async def _management_body(self, receive: Receive, given: dict[bytes, bytes]) -> dict[str, Any]:
        limits = RequestLimits(max_body_mb=MANAGEMENT_MEGABYTES, max_json_values=self._limits.max_json_values)
        return await bodies.read_object(receive, given, limits, empty=b"{}")

    async def _is_administrator(self, scope: Scope) -> bool:
        """Whether LiteLLM takes the request's key for an administrator's: by a page that it shows to nobody else."""
        status, _ = await asking.answer_of(self.app, self._question(scope, "/health/readiness/details"))
        return status == 200

    async def _stored(self, route: Route, scope: Scope) -> bytes:
        """The answer to a request to a stored response."""
        memory = stored_reading.check_method(scope["method"], route, self._memory)
        return await stored_reading.answer(
            memory, await self._owner(scope), scope["method"], route, scope["query_string"]
        )

    async def _owner(self, scope: Scope) -> str:
        """Whose answers the request's key may read. Raises RefusedError where LiteLLM takes no such key."""
        return owner_of(await asking.caller(self.app, self._question(scope, asking.CALLER_PATH)))

    def _question(self, scope: Scope, path: str) -> Scope:
        """A request to LiteLLM in the name of the sender of `scope`."""
        return _passed({**scope, "method": "GET"}, Route(Kind.READ, path), headers.sift(scope["headers"]))


def _path_in_app(scope: Scope) -> str:
    """The path without the one that LiteLLM is mounted under (SERVER_ROOT_PATH), if any."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def _is_preflight(scope: Scope) -> bool:
    """Whether a browser asks what a page may do: LiteLLM answers that in front of its routes, without a key."""
    names = {name for name, _ in scope["headers"]}
    return scope["method"] == "OPTIONS" and {b"origin", b"access-control-request-method"} <= names


def _passed(
    scope: Scope, route: Route, kept: list[tuple[bytes, bytes]], encoded: bytes | None = None
) -> dict[str, Any]:
    """The request to `route`, under the one path of its surface and without a query."""
    path = scope.get("root_path", "") + route.path
    passed = {**scope, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": kept}
    return passed if encoded is None else _with_body(passed, encoded)


def _with_body(scope: Scope, encoded: bytes) -> dict[str, Any]:
    dropped = (b"content-length", b"content-type", b"content-encoding", b"transfer-encoding")
    kept = [header for header in scope["headers"] if header[0] not in dropped]
    about = [(b"content-type", b"application/json"), (b"content-length", str(len(encoded)).encode())]
    return {**scope, "headers": [*kept, *about]}


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body once, then what the client does: a disconnect has to arrive."""
    started = False

    async def again() -> Message:
        nonlocal started
        if started:
            return await receive()
        started = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _limited(receive: Receive, given: dict[bytes, bytes]) -> Receive:
    """What a management request brings, as far as its limit."""
    most = MANAGEMENT_MEGABYTES * MEGABYTE
    declared = given.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > most:
        raise bodies.too_large(MANAGEMENT_MEGABYTES)
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return {"type": "http.disconnect"} if taken > most else message

    return limited
