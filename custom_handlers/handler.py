"""LiteLLM's handler for the provider `stackspot_ai`: request in, upstream chosen, answer or LiteLLM's error out."""

import json
import logging
import traceback
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

from custom_handlers import outcomes, stackspot_config
from custom_handlers.client import ChatRequest, StackSpotClient
from custom_handlers.config.deployment import Deployment, read_deployment
from custom_handlers.core import matched_stop, notes, parameters
from custom_handlers.core.errors import (
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    StackSpotError,
    headers_for,
)
from custom_handlers.core.events import STOP_SEQUENCE, Delta, Event, Finish
from custom_handlers.http.timeouts import Deadline
from custom_handlers.litellm_adapter import charging, going_on, responses, sync, timing
from custom_handlers.litellm_adapter.custom_llm import CustomLLM, ModelResponse, ModelResponseStream
from custom_handlers.litellm_adapter.exceptions import to_litellm
from custom_handlers.meter import Meter
from custom_handlers.pacing.quota import Quota, Status

logger = logging.getLogger("stackspot_config")


class StackSpotLLM(CustomLLM):
    """The four ways in which LiteLLM calls a provider; the proxy uses the asynchronous two.

    Arguments are LiteLLM's. `api_key`, `api_base` and `headers` are ignored, since a client can set them: which
    upstream, agent and credentials serve a call is the configuration's choice alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self._clients: dict[str, StackSpotClient] = {}  # by account

    async def acompletion(  # type: ignore[override]
        self, *, model: str, messages: Any, model_response: ModelResponse, **call: Any
    ) -> ModelResponse:
        marked = partial(going_on.marked, call=call, stream=False)
        with _as_litellm_errors(model, call, marked), outcomes.told(model, stream=False) as meter:
            try:
                async with aclosing(self._answer(model, messages, call, meter, stream=False)) as answer:
                    response = await responses.to_model_response(answer, model_response, model=model)
            except BaseException:  # cancelled too: the caller has left
                charging.failed(call.get("logging_obj"), model, meter.usage)
                raise
        logger.debug("StackSpot answered %s: %s", model, response.usage)  # type: ignore[attr-defined]
        return response

    async def astreaming(  # type: ignore[override]
        self, *, model: str, messages: Any, **call: Any
    ) -> AsyncGenerator[ModelResponseStream]:
        begun = False

        def marked(failure: Any) -> Any:
            if begun and (noted := notes.current()):
                noted.failed = True  # nobody else goes on with it
            return going_on.marked(failure, call, stream=True, begun=begun)

        with _as_litellm_errors(model, call, marked), outcomes.told(model, stream=True) as meter:
            try:
                async with aclosing(self._answer(model, messages, call, meter, stream=True)) as answer:
                    async for chunk in responses.to_chunks(answer, model=model):
                        begun = True
                        yield chunk
            except Exception:
                if meter.usage.prompt:
                    yield responses.usage_chunk(meter.usage, model=model)
                raise
            except BaseException:  # closed or cancelled: the caller has left
                charging.left(call.get("logging_obj"), model, meter.usage, begun=begun)
                raise
        logger.debug("StackSpot's streamed answer of %s is complete", model)

    def completion(self, **call: Any) -> ModelResponse:  # type: ignore[override]
        return sync.run(self.acompletion(**call))

    def streaming(self, **call: Any) -> Iterator[ModelResponseStream]:  # type: ignore[override]
        return sync.iterate(self.astreaming(**call))

    async def _answer(
        self, model: str, messages: Any, call: Mapping[str, Any], meter: Meter, *, stream: bool
    ) -> AsyncGenerator[Event]:
        log_content = stackspot_config.current().log_content
        request = ChatRequest(model, messages, call.get("optional_params") or {}, stream=stream)
        parameters.check(request.parameters)
        deployment = _deployment(call)
        client = self._client_of(deployment.stackspot_account or "")
        deadline = Deadline(deployment.timeouts(parameters.seconds(call.get("timeout"))))
        if log_content:
            logger.debug("StackSpot request content: %s", json.dumps(messages, default=str))
        logging_obj, attempts, begun = call.get("logging_obj"), meter.attempts, False
        async with aclosing(client.chat(deployment, request, deadline, meter)) as answer:
            async for event in answer:
                if not begun:
                    timing.asked(logging_obj, attempts.first_sent)
                    begun = True
                if log_content:
                    logger.debug("StackSpot answer content: %s", event)
                if isinstance(event, Finish):
                    timing.answered(logging_obj, attempts.first_sent, attempts.waited_first)
                    meter.complete = True
                    event = _without_stop_sequence(event)
                elif not _is_chat(call) and (refusal := event.fields.get("refusal")):
                    event = Delta({"content": refusal})  # LiteLLM's translations drop a refusal
                yield event

    async def paces(self) -> dict[str, tuple[Quota, Status] | None]:
        """How each account is shared at this moment, the default one by the name ""; None for one that is not paced."""
        found: dict[str, tuple[Quota, Status] | None] = {}
        for account in ("", *stackspot_config.current().others):
            client = self._client_of(account)
            quota = client.settings.quota
            found[account] = (quota, await client.pacer.status()) if client.pacer and quota else None
        return found

    def _client_of(self, account: str) -> StackSpotClient:
        settings = stackspot_config.current()
        if account and account not in settings.others:
            raise InternalServerError(
                f"This model's configuration is wrong: the gateway has no account {account} (stackspot_account)."
            )
        settings = settings.others[account] if account else settings
        client = self._clients.get(account)
        if client is None or client.settings is not settings:
            client = self._clients[account] = StackSpotClient(settings)
        return client

    def _only_chat(self, *_: Any, **call: Any) -> NoReturn:
        model = call.get("model", "")
        with _as_litellm_errors(model, call):
            raise BadRequestError("StackSpot serves chat only: no embeddings and no images.", param="model")
        raise AssertionError("unreachable")

    async def _only_chat_async(self, *args: Any, **call: Any) -> NoReturn:
        self._only_chat(*args, **call)

    embedding = image_generation = image_edit = _only_chat
    aembedding = aimage_generation = aimage_edit = _only_chat_async


def _deployment(call: Mapping[str, Any]) -> Deployment:
    try:
        return read_deployment((call.get("litellm_params") or {}).get("model_info") or {})
    except ConfigurationError as error:
        raise InternalServerError(f"This model's configuration is wrong: {' '.join(error.mistakes)}") from None


def _without_stop_sequence(end: Finish) -> Finish:
    if STOP_SEQUENCE not in end.extra:
        return end
    matched_stop.record(end.extra[STOP_SEQUENCE])
    return replace(end, extra={name: value for name, value in end.extra.items() if name != STOP_SEQUENCE})


@contextmanager
def _as_litellm_errors(
    model: str, call: Mapping[str, Any], marked: Callable[[Exception], Exception] = lambda failure: failure
) -> Iterator[None]:
    """Errors as LiteLLM's exceptions: what is not one already would reach the caller with a traceback."""
    try:
        yield
    except StackSpotError as error:
        failure: StackSpotError = error
    except Exception as error:
        # Without its text, which may be the caller's.
        trace = "".join(traceback.format_tb(error.__traceback__))
        kind = type(error).__name__
        logger.error("Call of %s failed: %s\nTraceback (most recent call last):\n%s%s", model, kind, trace, kind)
        failure = InternalServerError(f"The gateway failed on this call ({kind}); its log says where.")
    else:
        return
    logger.debug("StackSpot call of %s failed: %s", model, failure.message)
    if noted := notes.current():
        noted.headers |= headers_for(failure)
    raise marked(to_litellm(failure, model=model, through_proxy=_through_proxy(call))) from None


def _is_chat(call: Mapping[str, Any]) -> bool:
    return getattr(call.get("logging_obj"), "call_type", "completion") in ("acompletion", "completion")


def _through_proxy(call: Mapping[str, Any]) -> bool:
    return bool((call.get("litellm_params") or {}).get("proxy_server_request"))


stackspot_llm = StackSpotLLM()
