"""One StackSpot account: its two upstreams, and what its calls share (the token, learned limits)."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from custom_handlers.core.errors import ContextWindowExceededError
from custom_handlers.core.events import End, Event
from custom_handlers.emulation import prompt, rounds
from custom_handlers.emulation.limits import check_context
from custom_handlers.emulation.plan import Plan
from custom_handlers.http.client import Limits
from custom_handlers.meter import Meter
from custom_handlers.settings import Settings
from custom_handlers.upstream.agents_api import Agent, AgentsApi
from custom_handlers.upstream.credentials import TokenSource
from custom_handlers.upstream.key_api import KeyApi
from custom_handlers.upstream.uploads import Uploads

# Seconds: an agent may be given another model in the portal at any time.
LEARNED_FOR = 900.0

logger = logging.getLogger("stackspot_config")


class Account:
    """Both upstreams of the account that `settings` name."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        tokens = TokenSource(settings.idm_url, settings.realm, settings.client_id, settings.client_secret)
        self.agents = AgentsApi(settings.inference_url, tokens)
        self.uploads = Uploads(settings.upload_url, tokens, settings.uploads, settings.fetch_images)
        self.key_api = KeyApi(settings.api_base, settings.api_key)
        self._learned_limits: dict[str, tuple[int, float]] = {}

    async def ask_agent(
        self,
        agent: Agent,
        messages: Any,
        optional: Mapping[str, Any],
        context_limit: int | None,
        limits: Limits,
        meter: Meter | None = None,
    ) -> AsyncGenerator[Event]:
        """The agent's answer, with what the service does not have: tools, structured output, limits.

        `context_limit` is in tokens; a lower one that StackSpot has named lately takes its place.
        """
        started, meter = time.monotonic(), meter or Meter()
        parts = prompt.file_parts(messages, results=self.uploads.enabled)
        upload_ids, notes = await self.uploads.upload(parts, limits)
        secret = (self.settings.client_secret or self.settings.api_key).encode()
        limit = min(filter(None, (self._learned_limit(agent), context_limit)), default=None)

        def planned() -> Plan:
            plan = rounds.plan(messages, optional, notes, secret=secret, thinking_open=agent.thinking_open)
            check_context(plan.prompt, limit)
            return plan

        # In a thread: a long conversation takes a second, and others have their turn meanwhile.
        plan = await asyncio.to_thread(planned)
        logger.debug("StackSpot request: agent, %d characters, %d files", len(plan.prompt), len(upload_ids))

        def ask(text: str) -> AsyncGenerator[Event]:
            left = max(limits.total - (time.monotonic() - started), 0.0)
            answer = self.agents.ask(agent, text, replace(limits, total=left), upload_ids, meter.attempts)
            return meter.watch(text, answer)

        def ask_again(text: str) -> AsyncGenerator[Event] | None:
            return ask(text) if meter.attempts.left else None

        try:
            async with aclosing(rounds.emulate(ask(plan.prompt), plan=plan, ask=ask_again)) as answer:
                async for event in answer:
                    yield replace(event, usage=meter.usage) if isinstance(event, End) else event
        except ContextWindowExceededError as error:
            if error.limit:
                self._learned_limits[agent.id] = (error.limit, time.monotonic() + LEARNED_FOR)
            raise

    def _learned_limit(self, agent: Agent) -> int | None:
        limit, until = self._learned_limits.get(agent.id, (None, 0.0))
        return limit if time.monotonic() < until else None
