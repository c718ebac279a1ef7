"""Items of a Responses history as those that LiteLLM translates: messages, calls of functions and their results.

LiteLLM drops in silence what it does not know. What the client's own tools did becomes a call and a result, what a
vendor's did becomes text of the assistant's; what only the vendor's memory holds is refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

from custom_handlers.guard import content
from custom_handlers.guard.content import Part
from custom_handlers.guard.shapes import LIST, TEXT, check, name_of, refused
from custom_handlers.guard.spoken import spoken

Item = dict[str, Any]

STORED = (
    "The gateway stores no responses, so the history has to come with each request. Set `store: false` in the client "
    '(Vercel AI SDK: `providerOptions: {openai: {store: false}}`, or `openai.chat("model")` in place of '
    '`openai("model")`; openai-agents: without `auto_previous_response_id`).'
)
_ROLES = ("user", "assistant", "system", "developer")
# Calls of tools that run at the client's: where each keeps what it was called with, and the name of a function for it.
_CLIENT_CALLS = {
    "local_shell_call": ("action", "local_shell"),
    "shell_call": ("action", "shell"),
    "apply_patch_call": ("operation", "apply_patch"),
    "computer_call": ("action", "computer"),
    "tool_search_call": ("arguments", "tool_search"),
}
_CLIENT_RESULTS = ("local_shell_call_output", "shell_call_output", "apply_patch_call_output", "computer_call_output")
_TOLD = (
    *("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_call"),
    *("mcp_approval_request", "mcp_approval_response", "program", "program_output"),
)
# Nothing in them that a later answer needs.
_LEFT_OUT = ("mcp_list_tools", "additional_tools")
_SEALED = ("compaction", "compaction_summary", "context_compaction")


def readable(items: list[Any]) -> list[Item]:
    """`items` of a request's `input`. Raises RejectedError, naming the place."""
    shown: list[Item] = []
    for index, given in enumerate(items):
        where = f"input[{index}]"
        item = {"role": "user", "content": given} if isinstance(given, str) else given
        if not isinstance(item, dict):
            raise refused(where, "must be an object.")
        shown += _item(item, where)
    return shown


def tools_found(items: list[Any]) -> list[Item]:
    """The tools that a search of the client's has brought: they can be called from then on."""
    found: list[Item] = []
    for item in items:
        if isinstance(item, dict) and item.get("type") in ("tool_search_output", "additional_tools"):
            tools = item.get("tools")
            found += [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    return found


def _item(item: Item, where: str) -> list[Item]:
    kind = item.get("type", "message")
    if not isinstance(kind, str):
        raise refused(f"{where}.type", "must be a string.")
    if kind == "item_reference":
        raise refused(where, f"refers to an item of an earlier response. {STORED}")
    if kind in _SEALED:
        raise refused(where, f"is a `{kind}`, which only its vendor can read. Start a new conversation.")
    if kind in _LEFT_OUT:
        return []
    if handler := _HANDLERS.get(kind):
        return [handler(item, where)]
    if kind in _CLIENT_CALLS:
        return [_client_call(item, kind, where)]
    if kind in _TOLD or kind.endswith(("_call", "_output", "_result")):
        return [_message_of(f"[{kind}] {content.as_text(_plain(item))}")]
    raise refused(f"{where}.type", f"is `{kind[:100]}`, which this gateway does not know.")


def _message(item: Item, where: str) -> Item:
    role = item.get("role")
    if role not in _ROLES:
        raise refused(f"{where}.role", f"must be one of: {', '.join(_ROLES)}.")
    said = spoken(item.get("content"), f"{where}.content")
    if isinstance(said, list):
        said = [_part(part, f"{where}.content[{index}]") for index, part in enumerate(said)]
    return {"type": "message", "role": role, "content": said if said is not None else ""}


def _part(part: Part, where: str) -> Part:
    """A part of a chat message as the same part of a Responses message."""
    match part["type"]:
        case "text":
            return {"type": "input_text", "text": part["text"]}
        case "image_url":
            url = part.get("image_url")
            return {"type": "input_image", "image_url": url.get("url") if isinstance(url, dict) else url}
        case "file":
            return {"type": "input_file", **(part["file"] if isinstance(part.get("file"), dict) else {})}
        case kind:
            raise refused(where, f"is of type `{kind}`, but this model reads text only.")


def _call(item: Item, where: str) -> Item:
    name_of(item, where)
    check(item, {"call_id": TEXT, "id": TEXT, "namespace": TEXT, "input": TEXT}, f"{where}.")
    return item


def _client_call(item: Item, kind: str, where: str) -> Item:
    field, name = _CLIENT_CALLS[kind]
    return {"type": "function_call", "call_id": _id(item, where), "name": name, "arguments": item.get(field) or {}}


def _result(item: Item, where: str) -> Item:
    kind = item["type"] if item["type"] == "custom_tool_call_output" else "function_call_output"
    output = item.get("output")
    if item["type"] == "tool_result":  # Anthropic's name, which LiteLLM reads as well
        output = item.get("output", item.get("content"))
    shown = content.result(output, _image)
    if item["type"] == "apply_patch_call_output" and (status := item.get("status")):
        shown = f"[{status}]\n{shown}"
    return {"type": kind, "call_id": _id(item, where), "output": shown}


def _search_result(item: Item, where: str) -> Item:
    names = [str(tool.get("name")) for tool in tools_found([item])]
    shown = f"[Tools that can be called from now on: {', '.join(names) or 'none'}.]"
    return {"type": "function_call_output", "call_id": _id(item, where), "output": shown}


def _reasoning(item: Item, where: str) -> Item:
    check(item, {"summary": LIST}, f"{where}.")
    return item


def _id(item: Mapping[str, Any], where: str) -> str:
    call_id = item.get("call_id") or item.get("tool_use_id") or item.get("id")
    if not isinstance(call_id, str):
        raise refused(f"{where}.call_id", "must name the call that this belongs to.")
    return call_id


def _image(part: Part) -> Part | None:
    """The images that LiteLLM finds in a result."""
    url = part.get("image_url")
    if isinstance(url, dict):
        url = url.get("url")
    if part.get("type") in ("input_image", "image_url", "computer_screenshot") and isinstance(url, str) and url:
        return {"type": "input_image", "image_url": url}
    if part.get("type") == "image" and isinstance(data := part.get("data"), str):
        return {"type": "input_image", "image_url": f"data:{part.get('mimeType')};base64,{data}"}
    return None


def _plain(item: Item) -> Item:
    """What the item says beside its type and ids."""
    return {"type": "json", "json": {k: v for k, v in item.items() if k not in ("type", "id", "status", "call_id")}}


def _message_of(text: str) -> Item:
    return {"type": "message", "role": "assistant", "content": text}


_HANDLERS: dict[str, Callable[[Item, str], Item]] = {
    "message": _message,
    "function_call": _call,
    "custom_tool_call": _call,
    "function_call_output": _result,
    "custom_tool_call_output": _result,
    "tool_result": _result,
    "tool_search_output": _search_result,
    "reasoning": _reasoning,
    **dict.fromkeys(_CLIENT_RESULTS, _result),
}
