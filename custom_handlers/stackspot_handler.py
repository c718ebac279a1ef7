"""LiteLLM's handler for the provider `stackspot_ai`: request in, upstream chosen, answer or LiteLLM's error out."""

import json
import logging
import time
import traceback
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any, NoReturn

from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import ModelResponse, ModelResponseStream

from custom_handlers import answers, blocking, emulation, parameters, prompt, routing, stackspot_config
from custom_handlers.agents_api import Agent, AgentsApi
from custom_handlers.credentials import TokenSource
from custom_handlers.errors import BadRequest, ContextTooLong, GatewayFault, StackSpotError, to_litellm
from custom_handlers.events import End, Event
from custom_handlers.key_api import KeyApi
from custom_handlers.limits import check_context, count
from custom_handlers.settings import Settings
from custom_handlers.transport import Limits
from custom_handlers.uploads import Uploads

logger = logging.getLogger("stackspot_config")


class Upstreams:
    """Both upstreams of one account, with what its calls share: the token, the pause after a 429, learned limits."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        tokens = TokenSource(settings.idm_url, settings.realm, settings.client_id, settings.client_secret)
        self.agents = AgentsApi(settings.inference_url, tokens)
        self.uploads = Uploads(settings.upload_url, tokens, settings.uploads, settings.fetch_images)
        self.key_api = KeyApi(settings.api_base, settings.api_key)
        self._learned_limits: dict[str, int] = {}

    async def ask_agent(
        self, agent: Agent, messages: Any, optional: Mapping[str, Any], info: Mapping[str, Any], limits: Limits
    ) -> AsyncGenerator[Event]:
        """The agent's answer, with what the service does not have: tools, structured output, limits."""
        started = time.monotonic()
        upload_ids, notes = await self.uploads.upload(prompt.file_parts(messages), limits)
        plan = emulation.plan(messages, optional, notes)
        known = (self._learned_limits.get(agent.id), info.get("max_input_tokens"))
        check_context(plan.prompt, min(filter(None, known), default=None))
        logger.debug("StackSpot request: agent, %d characters, %d files", len(plan.prompt), len(upload_ids))

        def ask(text: str) -> AsyncGenerator[Event]:
            left = max(limits.total - (time.monotonic() - started), 0.0)
            return self.agents.ask(agent, text, replace(limits, total=left), upload_ids)

        try:
            async with aclosing(emulation.emulate(ask(plan.prompt), plan=plan, ask=ask)) as answer:
                async for event in answer:
                    if isinstance(event, End) and event.usage.prompt is None:
                        event = replace(event, usage=replace(event.usage, prompt=count(plan.prompt)))
                    yield event
        except ContextTooLong as error:
            if error.limit:
                self._learned_limits[agent.id] = error.limit
            raise


class StackSpotLLM(CustomLLM):
    """The four ways in which LiteLLM calls a provider; the proxy uses the asynchronous two.

    Arguments are LiteLLM's. `api_key`, `api_base` and `headers` are ignored, since a client can set them: which
    upstream, agent and credentials serve a call is the configuration's choice alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self._upstreams: Upstreams | None = None

    async def acompletion(  # type: ignore[override]
        self, *, model: str, messages: Any, model_response: ModelResponse, **call: Any
    ) -> ModelResponse:
        with _told_in_litellms_words(model, call):
            async with aclosing(self._answer(model, messages, call, stream=False)) as answer:
                response = await answers.assemble(answer, model_response, model=model, messages=messages)
        logger.debug("StackSpot answered %s: %s", model, response.usage)  # type: ignore[attr-defined]
        return response

    async def astreaming(  # type: ignore[override]
        self, *, model: str, messages: Any, **call: Any
    ) -> AsyncGenerator[ModelResponseStream]:
        with _told_in_litellms_words(model, call):
            async with aclosing(self._answer(model, messages, call, stream=True)) as answer:
                async for chunk in answers.stream(answer, model=model, messages=messages):
                    yield chunk
        logger.debug("StackSpot's streamed answer of %s is complete", model)

    def completion(self, **call: Any) -> ModelResponse:  # type: ignore[override]
        return blocking.run(self.acompletion(**call))

    def streaming(self, **call: Any) -> Iterator[ModelResponseStream]:  # type: ignore[override]
        return blocking.iterate(self.astreaming(**call))

    async def _answer(
        self, model: str, messages: Any, call: Mapping[str, Any], *, stream: bool
    ) -> AsyncGenerator[Event]:
        upstreams = self._current_upstreams()
        settings = upstreams.settings
        optional = call.get("optional_params") or {}
        info = (call.get("litellm_params") or {}).get("model_info") or {}
        parameters.check(optional)
        limits = routing.limits(info, parameters.seconds(call.get("timeout")))
        name = routing.canonical(model)
        agent_id = routing.agent_id_for(name, info, settings.agent_ids, has_api_key=bool(settings.api_key))
        if settings.log_content:
            logger.debug("StackSpot request content: %s", json.dumps(messages, default=str))
        if agent_id:
            answer = upstreams.ask_agent(routing.agent(agent_id, info), messages, optional, info, limits)
        else:
            prompt.render(messages)  # for what it refuses: the key API takes text only as well
            logger.debug("StackSpot request: %s by key", name)
            answer = upstreams.key_api.ask(name, messages, optional, limits, stream=stream)
        async with aclosing(answer):
            async for event in answer:
                if settings.log_content:
                    logger.debug("StackSpot answer content: %s", event)
                yield event

    def _current_upstreams(self) -> Upstreams:
        settings = stackspot_config.current()
        if self._upstreams is None or self._upstreams.settings is not settings:
            self._upstreams = Upstreams(settings)
        return self._upstreams

    def _only_chat(self, *_: Any, **call: Any) -> NoReturn:
        model = call.get("model", "")
        with _told_in_litellms_words(model, call):
            raise BadRequest("StackSpot serves chat only: no embeddings and no images.", param="model")
        raise AssertionError("unreachable")

    async def _only_chat_async(self, *args: Any, **call: Any) -> NoReturn:
        self._only_chat(*args, **call)

    embedding = image_generation = image_edit = _only_chat
    aembedding = aimage_generation = aimage_edit = _only_chat_async


@contextmanager
def _told_in_litellms_words(model: str, call: Mapping[str, Any]) -> Iterator[None]:
    """Errors as LiteLLM's exceptions: what is not one already would reach the caller with a traceback."""
    try:
        yield
    except StackSpotError as error:
        told = error
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        logger.error("Call of %s failed: %s at %s:%s", model, type(error).__name__, place.filename, place.lineno)
        told = GatewayFault(f"The gateway failed on this call ({type(error).__name__}); its log says where.")
    else:
        return
    logger.debug("StackSpot call of %s failed: %s", model, told.message)
    through_proxy = bool((call.get("litellm_params") or {}).get("proxy_server_request"))
    raise to_litellm(told, model=model, through_proxy=through_proxy) from None


stackspot_llm = StackSpotLLM()
