"""Who the gateway is to StackSpot: access tokens by OAuth2 client credentials (section 2 of the wire reference)."""

import asyncio
import logging
import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from custom_handlers.core import telemetry
from custom_handlers.core.errors import InvalidResponseError, StackSpotError, UpstreamTimeoutError, outcome_of
from custom_handlers.http import client
from custom_handlers.http.error_mapping import Service
from custom_handlers.http.retry import Attempts
from custom_handlers.http.timeouts import Deadline, Timeouts

logger = logging.getLogger("stackspot_config")

RENEW_EARLY_SECONDS = 60.0
FAILURE_MEMORY_SECONDS = 5.0
# What clients wait for the token endpoint at most (MIDIR, STKAI).
RENEWAL_TIMEOUTS = Timeouts(first_byte=30, idle=30, total=30)
# A token lives for 20 minutes (DOC-PAT); taken when the endpoint does not say, or says nonsense.
DEFAULT_LIFE_SECONDS = 1200.0


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    renew_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class _Renewal:
    """In flight; whoever cannot wait for its end gets the last error so far."""

    task: "asyncio.Task[_Token | StackSpotError]"
    attempts: Attempts


class TokenSource:
    """The access token of one realm and client, renewed 60 s early, with one renewal in flight at a time.

    A renewal serves every caller: it outlives the one that began it, and has timeouts of its own.
    """

    def __init__(self, idm_url: str, realm: str, client_id: str, client_secret: str) -> None:
        self._url = f"{idm_url}/{realm}/oidc/oauth/token"
        self._form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        self._token: _Token | None = None
        self._failure: tuple[float, StackSpotError] | None = None
        # A task belongs to one event loop; in-process callers may bring several.
        self._renewals: WeakKeyDictionary[asyncio.AbstractEventLoop, _Renewal] = WeakKeyDictionary()

    async def get_token(self, deadline: Deadline, *, invalidate: str | None = None) -> str:
        """A token that StackSpot should accept; `invalidate` is one it has just refused. Raises StackSpotError."""
        token, now = self._token, time.monotonic()
        if token and token.value == invalidate:
            token = self._token = None
        if token and now < token.expires_at:
            if now >= token.renew_at:
                self._renewal()
            return token.value
        renewal = self._renewal()
        try:
            async with deadline.bound():
                renewed = await asyncio.shield(renewal.task)
        except UpstreamTimeoutError as error:
            raise (renewal.attempts.failed or error).with_traceback(None) from None
        if isinstance(renewed, StackSpotError):
            raise renewed.with_traceback(None)
        return renewed.value

    def _renewal(self) -> _Renewal:
        loop = asyncio.get_running_loop()
        if (renewal := self._renewals.get(loop)) is None:
            attempts = Attempts()
            renewal = self._renewals[loop] = _Renewal(loop.create_task(self._renew(attempts)), attempts)
            renewal.task.add_done_callback(lambda _: self._renewals.pop(loop, None))
        return renewal

    async def _renew(self, attempts: Attempts) -> _Token | StackSpotError:
        """A new token, or why there is none; a failure of a few seconds ago still holds."""
        if self._failure and time.monotonic() - self._failure[0] < FAILURE_MEMORY_SECONDS:
            return self._failure[1]
        try:
            token = await self._ask(Deadline(RENEWAL_TIMEOUTS), attempts)
        except StackSpotError as error:
            logger.debug("StackSpot token renewal failed: %s", error.message)
            self._failure = time.monotonic(), error
            telemetry.tell(telemetry.TokenRenewed(outcome_of(error)))
            return error
        self._token, self._failure = token, None
        telemetry.tell(telemetry.TokenRenewed(telemetry.ANSWERED))
        return token

    async def _ask(self, deadline: Deadline, attempts: Attempts) -> _Token:
        request = client.Request(self._url, form=self._form, service=Service.TOKEN)
        body = await client.request_json(request, deadline, attempts)
        value = body.get("access_token")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
            raise InvalidResponseError("StackSpot's token endpoint answered without a usable access token.")
        life = body.get("expires_in")
        seconds = float(life) if isinstance(life, int | float) and 0 < life < 86_400 else DEFAULT_LIFE_SECONDS
        now = time.monotonic()
        logger.debug("StackSpot token renewed, valid for %d s", seconds)
        # A life shorter than the margin would mean a renewal for every call: then half the life is the margin.
        return _Token(value, now + seconds - min(RENEW_EARLY_SECONDS, seconds / 2), now + seconds)
