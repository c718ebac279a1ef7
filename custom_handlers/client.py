"""One StackSpot account: its two upstreams, and what its calls share (the token, uploads, learned context windows)."""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from custom_handlers.config.accounts import in_words_of
from custom_handlers.config.deployment import Deployment, resolve_agent
from custom_handlers.config.settings import Settings
from custom_handlers.core import masking, notes, telemetry
from custom_handlers.core.errors import ContextWindowExceededError, InternalServerError, StackSpotError
from custom_handlers.core.events import Delta, Event, Finish
from custom_handlers.core.models import canonical_model_name, is_ulid
from custom_handlers.emulation import emulator, prompt
from custom_handlers.emulation.brevity import is_short
from custom_handlers.emulation.context_window import check_context, is_small
from custom_handlers.emulation.request import EmulatedRequest
from custom_handlers.http.timeouts import Deadline
from custom_handlers.http.turns import Turns
from custom_handlers.litellm_adapter import process, redis_client
from custom_handlers.meter import Meter, texts
from custom_handlers.pacing.memory import MemoryPacer
from custom_handlers.pacing.quota import IN_PROCESS, Pacer
from custom_handlers.upstream.agents_api import Agent, AgentsApi
from custom_handlers.upstream.key_api import KeyApi
from custom_handlers.upstream.oauth import TokenSource
from custom_handlers.upstream.uploads import Uploads

# Seconds: an agent may be given another model in the portal at any time.
LEARNED_FOR = 900.0

logger = logging.getLogger("stackspot_config")


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What is asked: OpenAI's `messages` and other fields, as LiteLLM hands them on. `stream` is for the key API."""

    model: str
    messages: Any
    parameters: Mapping[str, Any]
    stream: bool = True


class StackSpotClient:
    """Both upstreams of the account that `settings` name."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        tokens = TokenSource(settings.idm_url, settings.realm, settings.client_id, settings.client_secret)
        self.agents = AgentsApi(settings.inference_url, tokens)
        self.uploads = Uploads(settings.upload_url, tokens, settings.uploads, settings.fetch_images)
        self.key_api = KeyApi(settings.api_base, settings.api_key)
        self.pacer = _pacer(settings)
        self._learned_limits: dict[str, tuple[int, float]] = {}

    async def chat(
        self, deployment: Deployment, request: ChatRequest, deadline: Deadline, meter: Meter | None = None
    ) -> AsyncGenerator[Event]:
        """The answer of whichever upstream serves `deployment`; its end says what the whole call has used."""
        meter, settings = meter or Meter(), self.settings
        if self.pacer:
            noted = notes.current()
            meter.attempts.turns = Turns(self.pacer, (noted and noted.caller) or notes.Caller(IN_PROCESS))
        if settings.mask_personal_data:
            # The guard has done so in the proxy. Again here, as nothing else stands in front of the network: for code
            # that uses the handler without the proxy, and for what LiteLLM or the gateway added to the conversation.
            request = await asyncio.to_thread(_masked, request)
        name = canonical_model_name(request.model)
        agent_id = resolve_agent(
            deployment, name, settings.agent_ids, has_api_key=bool(settings.api_key), in_process=settings.in_process
        )
        if agent_id:
            answer = self._ask_agent(_agent(agent_id, deployment), deployment, request, deadline, meter)
        else:
            answer = self._ask_by_key(name, request, deadline, meter)
        try:
            async with aclosing(answer):
                async for event in answer:
                    yield replace(event, usage=meter.usage) if isinstance(event, Finish) else event
        except StackSpotError as error:
            error.message = in_words_of(settings.account, error.message)  # its variables, not the default account's
            raise

    async def _ask_agent(
        self, agent: Agent, deployment: Deployment, request: ChatRequest, deadline: Deadline, meter: Meter
    ) -> AsyncGenerator[Event]:
        """The agent's answer, with what the service does not have: tools, structured output, limits."""
        parts = prompt.file_parts(request.messages, results=self.uploads.enabled)
        upload_ids, notes = await self.uploads.upload(parts, deadline)
        secret = (self.settings.client_secret or self.settings.api_key).encode()
        # A lower limit that StackSpot has named lately takes the place of the configured one.
        limit = min(filter(None, (self._learned_limit(agent), deployment.max_input_tokens)), default=None)

        def prepared() -> EmulatedRequest:
            return emulator.prepare(
                request.messages,
                request.parameters,
                notes,
                secret=secret,
                thinking_open=deployment.stackspot_thinking_open,
            )

        # In a thread: a long conversation takes a second, and others have their turn meanwhile.
        short = is_short(request.messages, request.parameters)
        emulated = prepared() if short else await asyncio.to_thread(prepared)
        if not is_small(emulated.prompt, limit):
            await asyncio.to_thread(check_context, emulated.prompt, limit)
        logger.debug("StackSpot request: agent, %d characters, %d files", len(emulated.prompt), len(upload_ids))

        def ask(text: str) -> AsyncGenerator[Event] | None:
            if not meter.attempts.left:
                return None
            return meter.watch(text, self.agents.ask(agent, text, deadline, upload_ids, meter.attempts))

        try:
            async with aclosing(emulator.emulate(emulated, ask)) as answer:
                async for event in answer:
                    yield event
        except ContextWindowExceededError as error:
            if error.limit:
                self._learned_limits[agent.id] = (error.limit, time.monotonic() + LEARNED_FOR)
            raise

    async def _ask_by_key(
        self, model: str, request: ChatRequest, deadline: Deadline, meter: Meter
    ) -> AsyncGenerator[Event]:
        """The key API's answer: it has tools and structured output of its own, but takes text only as well."""
        if is_short(request.messages, {}):
            prompt.check_messages(request.messages)
        else:
            await asyncio.to_thread(prompt.check_messages, request.messages)
        logger.debug("StackSpot request: %s by key", model)
        asked = self.key_api.ask(
            model, request.messages, request.parameters, deadline, stream=request.stream, attempts=meter.attempts
        )
        async with aclosing(meter.watch(lambda: "\n".join(texts(request.messages)), asked)) as answer:
            async for event in answer:
                for call in event.fields.get("tool_calls", ()) if isinstance(event, Delta) else ():
                    if call["function"].get("name"):  # the others are more of its arguments
                        telemetry.tell(telemetry.ToolCalled(telemetry.NATIVE))
                yield event

    def _learned_limit(self, agent: Agent) -> int | None:
        limit, until = self._learned_limits.get(agent.id, (None, 0.0))
        return limit if time.monotonic() < until else None


def _masked(request: ChatRequest) -> ChatRequest:
    return replace(
        request,
        messages=masking.masked(request.messages),
        parameters=masking.masked_parameters(request.parameters),
    )


def _pacer(settings: Settings) -> Pacer | None:
    """One for both upstreams; through Redis where the proxy has one, for all of its workers and replicas."""
    quota, workers = settings.quota, process.workers()
    if quota is None or settings.in_process:
        return MemoryPacer(quota) if quota else None
    if redis_client.is_configured():
        from custom_handlers.pacing.shared import RedisPacer

        account = hashlib.sha256(f"{settings.realm}/{settings.client_id}/{settings.api_key}".encode()).hexdigest()
        return RedisPacer(quota, redis_client.connect, account[:16])
    if workers > 1:
        logger.warning(
            "There are %d workers and no Redis (REDIS_HOST): each paces its part of %d requests a minute alone.",
            workers,
            quota.per_minute,
        )
    return MemoryPacer(replace(quota, per_minute=quota.per_minute / workers))


def _agent(agent_id: str, deployment: Deployment) -> Agent:
    if not is_ulid(agent_id):
        raise InternalServerError(
            "This model's configuration is wrong: the agent id is not a ULID: 26 characters, as in the agent's page in "
            "the StackSpot portal."
        )
    return Agent(
        agent_id,
        deployment.stackspot_knowledge_source_ids,
        knowledge=deployment.stackspot_knowledge,
        deep_search=deployment.stackspot_deep_search,
        version=deployment.stackspot_agent_version,
    )
