"""Who the gateway is to StackSpot: access tokens by OAuth2 client credentials (section 2 of the wire reference)."""

import asyncio
import logging
import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from custom_handlers import transport
from custom_handlers.errors import BrokenAnswer, StackSpotError
from custom_handlers.refusals import refused_token

logger = logging.getLogger("stackspot_config")

RENEW_EARLY_SECONDS = 60.0
FAILURE_MEMORY_SECONDS = 5.0
# A token lives for 20 minutes (DOC-PAT); taken when the endpoint does not say, or says nonsense.
DEFAULT_LIFE_SECONDS = 1200.0


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    renew_at: float
    expires_at: float


class TokenSource:
    """The access token of one realm and client, renewed 60 s early, with one renewal in flight at a time."""

    def __init__(self, idm_url: str, realm: str, client_id: str, client_secret: str) -> None:
        self._url = f"{idm_url}/{realm}/oidc/oauth/token"
        self._form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        self._token: _Token | None = None
        self._failure: tuple[float, StackSpotError] | None = None
        # A lock belongs to one event loop; in-process callers may bring several.
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    async def token(self, deadline: transport.Deadline, *, rejected: str | None = None) -> str:
        """A token that StackSpot should accept; `rejected` is one it has just refused. Raises StackSpotError."""
        if (token := self._usable(rejected)) and time.monotonic() < token.renew_at:
            return token.value
        lock = self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        async with deadline.bound():
            await lock.acquire()
        try:
            if (token := self._usable(rejected)) and time.monotonic() < token.renew_at:
                return token.value
            return await self._renew(deadline, rejected)
        finally:
            lock.release()

    def _usable(self, rejected: str | None) -> _Token | None:
        token = self._token
        return token if token and token.value != rejected and time.monotonic() < token.expires_at else None

    async def _renew(self, deadline: transport.Deadline, rejected: str | None) -> str:
        error: StackSpotError | None = None
        if self._failure and time.monotonic() - self._failure[0] < FAILURE_MEMORY_SECONDS:
            error = self._failure[1]
        else:
            try:
                self._token, self._failure = await self._ask(deadline), None
                return self._token.value
            except StackSpotError as failed:
                logger.debug("StackSpot token renewal failed: %s", failed.message)
                error = failed
                self._failure = time.monotonic(), failed
        if still_good := self._usable(rejected):
            return still_good.value
        raise error.with_traceback(None)

    async def _ask(self, deadline: transport.Deadline) -> _Token:
        try:
            body = await transport.fetch(transport.Request(self._url, form=self._form), deadline)
        except StackSpotError as error:
            raise refused_token(error) from None
        value = body.get("access_token")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
            raise BrokenAnswer("StackSpot's token endpoint answered without a usable access token.")
        life = body.get("expires_in")
        seconds = float(life) if isinstance(life, int | float) and 0 < life < 86_400 else DEFAULT_LIFE_SECONDS
        now = time.monotonic()
        logger.debug("StackSpot token renewed, valid for %d s", seconds)
        # A life shorter than the margin would mean a renewal for every call: then half the life is the margin.
        return _Token(value, now + seconds - min(RENEW_EARLY_SECONDS, seconds / 2), now + seconds)
