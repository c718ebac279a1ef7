"""The Agents API: one prompt in, one message out, streamed or not (sections 3 to 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.api.chat_body import ChatBody, read_chat_body
from simulator.api.errors import RefusedError, malformed, not_shared, rate_limited, too_long, unknown_upload
from simulator.api.plan import Dialect, dump, groups_of, lay_out, lay_out_plain
from simulator.api.streaming import send_plain, send_stream
from simulator.control.faults import Faults
from simulator.control.replies import Answer
from simulator.identifiers import new_ulid
from simulator.state import State, bearer_account, come_between, faults_for, record_of, state_of
from simulator.usage import Usage, agent_tokens, count_tokens

_KNOWLEDGE_TOKENS = 25


async def chat(request: web.Request) -> web.StreamResponse:
    """POST /v1/agent/{agent_id}/chat (DOC-AG). In: bearer and JSON. Out: SSE if `streaming`, else one JSON object."""
    state, record = state_of(request), record_of(request)
    agent_id = request.match_info["agent_id"]
    faults = faults_for(request, agent_id)
    await come_between(request, faults)
    account = bearer_account(request)
    if faults.rate_limit is not None and not state.window.admits(account, faults.rate_limit, faults.rate_window):
        raise RefusedError(rate_limited())
    shared = state.owners.get(agent_id, account.client_id) == account.client_id
    if agent_id not in state.agents or not shared or faults.not_shared:
        raise RefusedError(not_shared())
    body = read_chat_body(record.body)
    record.unknown_fields = body.unknown
    if faults.refuse_unknown_fields and body.unknown:
        raise RefusedError(malformed(body.unknown[0], "Extra inputs are not permitted"))
    for upload_id in body.upload_ids:
        upload = state.uploads.get(upload_id)
        if upload is None or upload.data is None:
            raise RefusedError(unknown_upload(upload_id))
    prompt_tokens = count_tokens(body.user_prompt) + faults.extra_input
    if faults.token_limit is not None and prompt_tokens > faults.token_limit:
        raise RefusedError(too_long(faults.token_limit, prompt_tokens))
    turn = _take_turn(state, agent_id, body, faults, prompt_tokens)
    record.answer = turn.answer.text
    if body.streaming and not faults.json_instead:
        reported = turn.usage if faults.usage not in ("absent", "null") and faults.final_object else None
        return await send_stream(request, lay_out(turn.groups, turn.dialect(), faults), faults, reported)
    whole = dump(turn.plain(), faults.escape)
    reported = turn.usage if faults.usage not in ("absent", "null") else None
    plan = lay_out_plain(whole, faults)
    return await send_plain(request, plan, len(whole), len(turn.groups), faults, reported)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One answer with everything that surrounds it on the wire."""

    body: ChatBody
    faults: Faults
    answer: Answer
    usage: Usage
    sources: list[dict[str, Any]]
    conversation_id: str | None
    message_id: str

    @property
    def groups(self) -> list[list[str]]:
        if self.faults.empty_answer or self.faults.null_message or self.faults.endless_empties:
            return []
        return [list(group) for group in groups_of(self.answer, self.faults)]

    def dialect(self) -> Dialect:
        """How this turn is streamed (section 5.2)."""
        faults = self.faults
        empty = None if faults.null_message else ""
        empties = [dump(self._delta(empty))] * faults.empties
        if faults.null_message and not empties:
            empties = [dump(self._delta(None))]
        return Dialect(
            delta=lambda piece: dump(self._delta(piece), faults.escape),
            opening=empties,
            closing=empties,
            final=dump(self._final(), faults.escape) if faults.final_object else None,
            error=dump({"type": "error", "message": "The model stopped unexpectedly."}),
            not_text=dump(self._delta({"text": "not a string"})),
            done=bool(faults.done),
        )

    def plain(self) -> dict[str, Any]:
        """The object of a plain answer (section 4)."""
        message: str | None = self.answer.text
        if self.faults.null_message:
            message = None
        elif self.faults.empty_answer:
            message = ""
        return {
            "message": message,
            **self._ending(),
            **self._containers(),
            "conversation_id": self.conversation_id,
            "message_id": self.message_id,
        }

    def _delta(self, message: Any) -> dict[str, Any]:
        match self.faults.delta_form:
            case "bare":
                return {"message": message}
            case "full":
                return {"message": message, **_EMPTY_CONTAINERS}
            case _:
                ids = {"conversation_id": self.conversation_id, "message_id": self.message_id}
                return {"message": message, **_EMPTY_CONTAINERS, **ids}

    def _final(self) -> dict[str, Any]:
        final: dict[str, Any] = {} if self.faults.final_message == "absent" else {"message": ""}
        final |= self._ending()
        if self.faults.delta_form != "bare" or self.body.return_ks_in_response:
            final |= self._containers()
        if self.conversation_id is not None or self.faults.delta_form == "answer":
            final["conversation_id"] = self.conversation_id
        final["message_id"] = self.message_id
        return final

    def _ending(self) -> dict[str, Any]:
        ending: dict[str, Any] = {}
        if self.faults.stop_reason != "absent":
            # StackSpot has said nothing but `stop` so far; a script may.
            said = self.answer.finish_reason or "stop"
            ending["stop_reason"] = said if self.faults.stop_reason == "stop" else None
        if self.faults.usage != "absent":
            ending["tokens"] = agent_tokens(self.usage, self.faults.usage, self.faults.usage_as_strings)
        return ending

    def _containers(self) -> dict[str, Any]:
        if not self.body.return_ks_in_response:
            return _EMPTY_CONTAINERS
        own = [source for source in self.sources if source["type"] == "knowledge_source"]
        cross = [source for source in self.sources if source["type"] == "cross_account"]
        ids = [source["id"] for source in self.sources]
        return {**_EMPTY_CONTAINERS, "knowledge_source_id": ids, "source": own, "cross_account_source": cross}


_EMPTY_CONTAINERS: dict[str, Any] = {
    "upload_ids": {},
    "knowledge_source_id": [],
    "source": [],
    "cross_account_source": [],
    "tools_id": [],
    "agent_info": [],
}


def _take_turn(state: State, agent_id: str, body: ChatBody, faults: Faults, prompt_tokens: int) -> _Turn:
    answer = state.answers.next(agent_id, body.user_prompt, state.model.answer)
    sources = _sources(body, faults)
    enrichment = _KNOWLEDGE_TOKENS * len(sources)
    usage = answer.usage or Usage(
        input=prompt_tokens + enrichment,
        output=count_tokens(answer.text) + faults.extra_output,
        enrichment=enrichment,
    )
    conversation = (body.conversation_id or new_ulid()) if body.use_conversation else None
    return _Turn(body, faults, answer, usage, sources, conversation, new_ulid())


def _sources(body: ChatBody, faults: Faults) -> list[dict[str, Any]]:
    """The knowledge used: what the call names, what the agent has, and StackSpot's own across accounts (MIDIR)."""
    names = [*body.knowledge_source_ids, *(["simulated-knowledge"] if faults.knowledge else [])]
    sources = [_source("knowledge_source", name) for name in names]
    if body.stackspot_knowledge:
        sources.append(_source("cross_account", "stackspot-knowledge"))
    return sources


def _source(kind: str, slug: str) -> dict[str, Any]:
    """One knowledge source in the form of POTENTII's typings."""
    return {
        "type": kind,
        "name": slug.replace("-", " ").title(),
        "slug": slug,
        "document_type": "CUSTOM",
        "document_score": 0.9,
        "document_id": f"{slug}-document",
        "id": slug,
    }
