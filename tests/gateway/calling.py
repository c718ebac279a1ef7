"""Asks the gateway on any of its four routes, and reads what comes back in one way."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.harness import WITHOUT_TLS, Server

CHAT, COMPLETIONS, MESSAGES, RESPONSES = "chat", "completions", "messages", "responses"
PATHS = {
    CHAT: "/v1/chat/completions",
    COMPLETIONS: "/v1/completions",
    MESSAGES: "/v1/messages",
    RESPONSES: "/v1/responses",
}
ROUTES = tuple(PATHS)
OPENAI_ROUTES = (CHAT, COMPLETIONS, RESPONSES)
# On these two LiteLLM waits for the first chunk before it sends the status; on the other two a stream is always a 200.
ROUTES_WITH_STATUS = (CHAT, COMPLETIONS)


@dataclass(frozen=True)
class Event:
    """One server-sent event: its name ("" where it has none) and its JSON."""

    name: str
    data: Any


@dataclass(frozen=True)
class Failure:
    """An error as the client sees it: in place of an answer, or as an event in a stream."""

    message: str
    type: str | None
    code: str | None
    param: str | None
    events_before: int = 0


@dataclass(frozen=True)
class Reply:
    """One whole HTTP answer of the gateway."""

    route: str
    status: int
    headers: httpx.Headers
    raw: str
    events: list[Event] = field(default_factory=list)
    done: bool = False

    @property
    def streamed(self) -> bool:
        return str(self.headers.get("content-type")).startswith("text/event-stream")

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def choices(self) -> list[Any]:
        """`choices[0]` of each chunk that has one, or of the answer."""
        bodies = [event.data for event in self.events] if self.streamed else [self.body]
        return [body["choices"][0] for body in bodies if body.get("choices")]

    @property
    def text(self) -> str:
        match self.route, self.streamed:
            case "chat", True:
                return "".join(choice["delta"].get("content") or "" for choice in self.choices)
            case "chat", False:
                return self.choices[0]["message"]["content"] or ""
            case "completions", _:
                return "".join(choice.get("text") or "" for choice in self.choices)
            case "messages", True:
                deltas = [event.data["delta"] for event in self.events if event.name == "content_block_delta"]
                return "".join(delta["text"] for delta in deltas if delta["type"] == "text_delta")
            case "messages", False:
                return "".join(block["text"] for block in self.body["content"] if block["type"] == "text")
            case _, True:
                return "".join(event.data["delta"] for event in self._named("response.output_text.delta"))
            case _:
                items = [item for item in self.body["output"] if item["type"] == "message"]
                return "".join(part["text"] for item in items for part in item["content"])

    @property
    def finish(self) -> str | None:
        """What the route says about the end: `finish_reason`, `stop_reason` or `status`; None when it says nothing."""
        match self.route, self.streamed:
            case "chat" | "completions", _:
                reasons = [choice["finish_reason"] for choice in self.choices if choice.get("finish_reason")]
                assert len(reasons) <= 1
                return reasons[0] if reasons else None
            case "messages", True:
                return next((event.data["delta"]["stop_reason"] for event in self._named("message_delta")), None)
            case "messages", False:
                return str(self.body["stop_reason"])
            case _, True:
                return next((event.data["response"]["status"] for event in self._named("response.completed")), None)
            case _:
                return str(self.body["status"])

    @property
    def model(self) -> str:
        match self.route, self.streamed:
            case "messages", True:
                return str(self.events[0].data["message"]["model"])
            case "responses", True:
                return str(self._named("response.completed")[0].data["response"]["model"])
            case _, True:
                (model,) = {event.data["model"] for event in self.events}
                return str(model)
            case _:
                return str(self.body["model"])

    @property
    def usage(self) -> dict[str, int] | None:
        """Tokens in and out under the simulator's names; None when none are told."""
        match self.route, self.streamed:
            case "chat" | "completions", True:
                told = [
                    event.data["usage"] for event in self.events if (event.data.get("usage") or {}).get("total_tokens")
                ]
                usage = told[-1] if told else None
            case "messages", True:
                usage = next((event.data["usage"] for event in self._named("message_delta")), None)
            case "responses", True:
                usage = next((event.data["response"]["usage"] for event in self._named("response.completed")), None)
            case _:
                usage = self.body["usage"]
        if usage is None:
            return None
        names = (
            ("prompt_tokens", "completion_tokens") if "prompt_tokens" in usage else ("input_tokens", "output_tokens")
        )
        return {"input": usage[names[0]], "output": usage[names[1]]}

    @property
    def failure(self) -> Failure | None:
        """The error that was told, if any; at most one."""
        if not self.streamed:
            return _failure(self.body.get("error")) if self.status != 200 else None
        for at, event in enumerate(self.events):
            error = event.data.get("error") or (event.data.get("response") or {}).get("error")
            if error:
                assert at == len(self.events) - 1, f"after the error came {self.events[at + 1 :]}"
                return _failure(error, at)
        return None

    def _named(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.data.get("type") == kind]


@dataclass
class Caller:
    """A client of `server`, with its master key. Whatever it is answered must hold nothing of `private`."""

    server: Server
    private: tuple[str, ...]
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        headers = {"Authorization": f"Bearer {self.server.key}"}
        self.http = httpx.Client(
            base_url=self.server.url, headers=headers, timeout=60, trust_env=False, verify=WITHOUT_TLS
        )

    def ask(
        self,
        route: str = CHAT,
        model: Any = "stackspot",
        prompt: Any = "Hi",
        *,
        stream: bool = False,
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> Reply:
        """Everything that comes back; `fields` are added to the body, or replace what is in it."""
        body = request_body(route, model, prompt) | {"stream": stream} | fields
        return read(route, self.post(PATHS[route], json=body, headers=headers))

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        """A request that `ask` does not know."""
        response = self.http.post(path, **arguments)
        for secret in self.private:
            assert secret not in response.text
        return response


def request_body(route: str, model: Any = "stackspot", prompt: Any = "Hi") -> dict[str, Any]:
    """The least that a client of `route` sends; `prompt` is a text or that route's messages."""
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    match route:
        case "chat":
            return {"model": model, "messages": messages}
        case "completions":
            return {"model": model, "prompt": prompt}
        case "messages":
            return {"model": model, "messages": messages, "max_tokens": 100}
        case _:
            return {"model": model, "input": prompt}


def read(route: str, response: httpx.Response) -> Reply:
    """A Reply of a response that was read to its end."""
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        return Reply(route, response.status_code, response.headers, response.text)
    events = list(_events(response.text))
    done = bool(events) and events[-1].data == "[DONE]"
    assert all(event.data != "[DONE]" for event in events[:-1])
    return Reply(route, response.status_code, response.headers, response.text, events[:-1] if done else events, done)


def _events(text: str) -> Iterator[Event]:
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            data = fields["data"]
            yield Event(fields.get("event", ""), data if data == "[DONE]" else json.loads(data))


def _failure(error: Any, events_before: int = 0) -> Failure:
    assert isinstance(error, dict), error
    assert isinstance(error["message"], str)
    code, kind, param = error.get("code"), error.get("type"), error.get("param")
    return Failure(error["message"], kind, None if code is None else str(code), param, events_before)
