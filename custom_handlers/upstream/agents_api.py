"""StackSpot's Agents API: one text in, one text out, always streamed (sections 3 to 6 of the wire reference)."""

import re
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from custom_handlers.core.errors import AuthenticationError, InvalidResponseError
from custom_handlers.core.events import MAX_TOKENS, Delta, Event, Finish, Usage
from custom_handlers.http.client import Request
from custom_handlers.http.error_mapping import in_answer
from custom_handlers.http.event_stream import stream_events
from custom_handlers.http.retry import Attempts, Pause
from custom_handlers.http.sse import ServerSentEvent, TextJoiner
from custom_handlers.http.timeouts import Deadline
from custom_handlers.upstream.oauth import TokenSource

# Only `stop` has ever been seen from StackSpot (DOC-AG, GAMBI); the others are what a model vendor may say.
_FINISH_REASONS = {"length": "length", "max_tokens": "length", "content_filter": "content_filter"}
_KNOWLEDGE_FIELDS = ("knowledge_source_id", "source", "cross_account_source")
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)
# Characters; the longest that a model writes is a few hundred thousand.
MAX_TEXT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent behind a model, with the options of its `model_info`; all options are off by default."""

    id: str
    knowledge_source_ids: Sequence[str] = ()
    knowledge: bool = False
    deep_search: bool = False
    version: int | None = None

    def body(self, prompt: str, upload_ids: Sequence[str] = ()) -> dict[str, Any]:
        """The JSON body of a chat call; what is not needed is left out."""
        # The platform attaches a source of its own unless told not to, so `stackspot_knowledge` is always sent (MIDIR).
        body: dict[str, Any] = {
            "user_prompt": prompt,
            "streaming": True,
            "stackspot_knowledge": self.knowledge,
        }
        if self.knowledge or self.deep_search or self.knowledge_source_ids:
            body["return_ks_in_response"] = True
        if self.deep_search:
            body["deep_search_ks"] = True
        if self.knowledge_source_ids:
            body["knowledge_source_ids"] = list(self.knowledge_source_ids)
        if self.version is not None:
            body["agent_version_number"] = self.version
        if upload_ids:
            body["upload_ids"] = list(upload_ids)
        return body


@dataclass(slots=True)
class AgentsApi:
    """One account's view of the Agents API."""

    inference_url: str
    tokens: TokenSource
    pause: Pause = field(default_factory=Pause)

    async def ask(
        self,
        agent: Agent,
        prompt: str,
        deadline: Deadline,
        upload_ids: Sequence[str] = (),
        attempts: Attempts | None = None,
    ) -> AsyncGenerator[Event]:
        """The agent's answer to `prompt`: text deltas as they arrive, then one Finish. Raises StackSpotError."""
        attempts = attempts or Attempts()
        deadline.start_request()
        token = await self.tokens.get_token(deadline)
        answer = self._ask_once(agent.body(prompt, upload_ids), agent.id, token, deadline, attempts)
        try:
            first = await anext(answer)
        except AuthenticationError:
            if attempts.left <= 0:
                raise
            # Tokens can end before their time: one forced renewal (MIDIR, HASS).
            token = await self.tokens.get_token(deadline, invalidate=token)
            answer = self._ask_once(agent.body(prompt, upload_ids), agent.id, token, deadline, attempts)
            first = await anext(answer)
        try:
            yield first
            async for event in answer:
                yield event
        finally:
            await answer.aclose()

    def _ask_once(
        self,
        body: Mapping[str, Any],
        agent_id: str,
        token: str,
        deadline: Deadline,
        attempts: Attempts,
    ) -> AsyncGenerator[Event]:
        request = Request(
            f"{self.inference_url}/v1/agent/{agent_id}/chat",
            headers={"Authorization": f"Bearer {token}", "Accept": "text/event-stream"},
            json=body,
        )
        return stream_events(request, AgentStreamDecoder(), deadline, self.pause, attempts)


class AgentStreamDecoder:
    """The server-sent events of one answer to ours; pure, so that any split can be tested without a socket."""

    def __init__(self) -> None:
        # Empty deltas can come for ever (COPILOT), so before the first text only text counts as a sign of life.
        self.begun = False
        self.ended = False
        self._text = TextJoiner()
        self._last: Mapping[str, Any] | None = None
        self._null = False
        self._length = 0

    def decode(self, messages: Iterable[ServerSentEvent]) -> Iterator[Event]:
        """At most one Delta, with all the text that came, then the Finish if it came too.

        Raises StackSpotError, after the text that came before it.
        """
        text, failure = "", None
        for event, body in messages:
            piece = body.get("message")
            if event == "error" or body.get("type") == "error" or ("code" in body and piece is None):
                failure = in_answer(body)
                break
            if isinstance(piece, str):
                text += piece
            self._null = self._null or body.get("message", "") is None
            if body.get("stop_reason") is not None or body.get("tokens") is not None:
                self._last, self.ended = body, True
                break
            # Both may be there as null: the end if no text comes with or after it (MIDIR), a delta otherwise (GAMBI).
            if piece:
                self._last = None
            elif "stop_reason" in body or "tokens" in body:
                self._last = body
        if text := self._joined(text, last=self.ended):
            yield Delta({"content": text})
        if failure:
            raise failure
        if self.ended:
            yield self._end()

    def flush(self) -> list[Event]:
        """The events left when the body has ended. Raises InvalidResponseError when it ended too early."""
        if self.ended:
            return []
        if self._last is None:
            raise InvalidResponseError("StackSpot's answer broke off before its end.")
        text = self._joined("", last=True)
        return [*([Delta({"content": text})] if text else []), self._end()]

    def _joined(self, text: str, *, last: bool) -> str:
        text = self._text.join(text, last=last)
        if (length := self._length + len(text)) > MAX_TEXT:
            raise InvalidResponseError("StackSpot's answer is too long: it was given up.", final=True)
        self._length = length
        self.begun = self.begun or bool(text.strip())
        return text

    def _end(self) -> Finish:
        last = self._last or {}
        if not self.begun:
            reason = "its content filter probably refused it" if self._null else "try again"
            empty = InvalidResponseError(f"StackSpot's answer is empty: {reason}.", final=True)
            empty.usage = read_usage(last.get("tokens"))
            raise empty
        knowledge = {name: last[name] for name in _KNOWLEDGE_FIELDS if last.get(name)}
        stop = last.get("stop_reason")
        return Finish(
            finish_reason=_FINISH_REASONS.get(stop, "stop") if isinstance(stop, str) else "stop",
            usage=read_usage(last.get("tokens")),
            extra={"stackspot_knowledge": knowledge} if knowledge else {},
        )


def read_usage(tokens: object) -> Usage:
    """StackSpot's `tokens` object, in any of its variants (section 6), to a Usage; zero and nonsense are None."""
    if not isinstance(tokens, Mapping):
        return Usage()
    counts = {name: _count(tokens.get(name)) for name in ("input", "user", "enrichment", "output")}
    return Usage(
        prompt=counts["input"] or counts["user"] + counts["enrichment"] or None, completion=counts["output"] or None
    )


def _count(value: object) -> int:
    """A whole number, one as a string, or null (MIDIR tolerates all three); what cannot be true is 0."""
    if isinstance(value, str) and _COUNT.fullmatch(value):
        value = int(value)
    return value if type(value) is int and 0 < value <= MAX_TOKENS else 0
