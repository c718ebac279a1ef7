"""LiteLLM's handler for the provider `stackspot_ai`: request in, upstream chosen, answer or LiteLLM's error out."""

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any, NoReturn

from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import ModelResponse, ModelResponseStream

from custom_handlers import answers, blocking, charging, parameters, routing, stackspot_config
from custom_handlers.account import Account
from custom_handlers.core import matched_stop
from custom_handlers.core.errors import BadRequestError, InternalServerError, StackSpotError, headers_for
from custom_handlers.core.events import STOP_TEXT, Delta, End, Event
from custom_handlers.emulation import prompt
from custom_handlers.guard import notes
from custom_handlers.litellm_adapter.exceptions import to_litellm
from custom_handlers.meter import Meter, texts

logger = logging.getLogger("stackspot_config")


class StackSpotLLM(CustomLLM):
    """The four ways in which LiteLLM calls a provider; the proxy uses the asynchronous two.

    Arguments are LiteLLM's. `api_key`, `api_base` and `headers` are ignored, since a client can set them: which
    upstream, agent and credentials serve a call is the configuration's choice alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self._account: Account | None = None

    async def acompletion(  # type: ignore[override]
        self, *, model: str, messages: Any, model_response: ModelResponse, **call: Any
    ) -> ModelResponse:
        meter = Meter()
        with _told_in_litellms_words(model, call):
            try:
                async with aclosing(self._answer(model, messages, call, meter, stream=False)) as answer:
                    response = await answers.assemble(answer, model_response, model=model, messages=messages)
            except BaseException:  # cancelled too: the caller has left
                charging.failed(call.get("logging_obj"), model, meter.usage)
                raise
        logger.debug("StackSpot answered %s: %s", model, response.usage)  # type: ignore[attr-defined]
        return response

    async def astreaming(  # type: ignore[override]
        self, *, model: str, messages: Any, **call: Any
    ) -> AsyncGenerator[ModelResponseStream]:
        meter, begun = Meter(), False
        with _told_in_litellms_words(model, call):
            try:
                async with aclosing(self._answer(model, messages, call, meter, stream=True)) as answer:
                    async for chunk in answers.stream(answer, model=model, messages=messages):
                        begun = True
                        yield chunk
            except Exception:
                if meter.usage.prompt:
                    yield answers.used(meter.usage, model=model)
                raise
            except BaseException:  # closed or cancelled: the caller has left
                charging.left(call.get("logging_obj"), model, meter.usage, begun=begun)
                raise
        logger.debug("StackSpot's streamed answer of %s is complete", model)

    def completion(self, **call: Any) -> ModelResponse:  # type: ignore[override]
        return blocking.run(self.acompletion(**call))

    def streaming(self, **call: Any) -> Iterator[ModelResponseStream]:  # type: ignore[override]
        return blocking.iterate(self.astreaming(**call))

    async def _answer(
        self, model: str, messages: Any, call: Mapping[str, Any], meter: Meter, *, stream: bool
    ) -> AsyncGenerator[Event]:
        account = self._account_in_force()
        settings = account.settings
        optional = call.get("optional_params") or {}
        info = (call.get("litellm_params") or {}).get("model_info") or {}
        parameters.check(optional)
        routing.refuse_unknown_options(info)
        limits = routing.limits(info, parameters.seconds(call.get("timeout")))
        name = routing.canonical(model)
        agent_id = routing.agent_id_for(name, info, settings.agent_ids, has_api_key=bool(settings.api_key))
        if settings.log_content:
            logger.debug("StackSpot request content: %s", json.dumps(messages, default=str))
        if agent_id:
            agent, most = routing.agent(agent_id, info), routing.context_limit(info)
            answer = account.ask_agent(agent, messages, optional, most, limits, meter)
        else:
            # For what it refuses: the key API takes text only as well.
            await asyncio.to_thread(prompt.render, messages)
            logger.debug("StackSpot request: %s by key", name)
            asked = account.key_api.ask(name, messages, optional, limits, stream=stream, attempts=meter.attempts)
            answer = meter.watch(lambda: "\n".join(texts(messages)), asked)
        async with aclosing(answer):
            async for event in answer:
                if settings.log_content:
                    logger.debug("StackSpot answer content: %s", event)
                if isinstance(event, End):
                    event = _without_stop_text(event)
                elif not _is_chat(call) and (refusal := event.fields.get("refusal")):
                    event = Delta({"content": refusal})  # LiteLLM's translations drop a refusal
                yield event

    def _account_in_force(self) -> Account:
        settings = stackspot_config.current()
        if self._account is None or self._account.settings is not settings:
            self._account = Account(settings)
        return self._account

    def _only_chat(self, *_: Any, **call: Any) -> NoReturn:
        model = call.get("model", "")
        with _told_in_litellms_words(model, call):
            raise BadRequestError("StackSpot serves chat only: no embeddings and no images.", param="model")
        raise AssertionError("unreachable")

    async def _only_chat_async(self, *args: Any, **call: Any) -> NoReturn:
        self._only_chat(*args, **call)

    embedding = image_generation = image_edit = _only_chat
    aembedding = aimage_generation = aimage_edit = _only_chat_async


def _without_stop_text(end: End) -> End:
    if STOP_TEXT not in end.extra:
        return end
    matched_stop.tell(end.extra[STOP_TEXT])
    return replace(end, extra={name: value for name, value in end.extra.items() if name != STOP_TEXT})


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
        told = InternalServerError(f"The gateway failed on this call ({type(error).__name__}); its log says where.")
    else:
        return
    logger.debug("StackSpot call of %s failed: %s", model, told.message)
    if noted := notes.current():
        noted.headers |= headers_for(told)
    raise to_litellm(told, model=model, through_proxy=_through_proxy(call)) from None


def _is_chat(call: Mapping[str, Any]) -> bool:
    return getattr(call.get("logging_obj"), "call_type", "completion") in ("acompletion", "completion")


def _through_proxy(call: Mapping[str, Any]) -> bool:
    return bool((call.get("litellm_params") or {}).get("proxy_server_request"))


stackspot_llm = StackSpotLLM()
