"""Where a call may begin and end in an answer. Every pattern is bounded, so that no answer is searched twice."""

import re

WINDOW = 256  # the longest tail that is held back, and the longest beginning that is looked at
MARK = 22  # no end mark is longer


def _beginnings(word: str, rest: str = "") -> str:
    """A pattern for every beginning of `word`; the whole of it may be followed by `rest`."""
    for character in reversed(word):
        rest = f"(?:{re.escape(character)}{rest})?"
    return rest


# The first key of a call that stands without tags, and the beginning of such a call.
_KEY = r'"(?:name|tool|tool_name|tool_calls|function|id|type)"\s{0,9}:'
_HEAD = r'[\[{][\s\[{]{0,9}(?:"\w{0,10}(?:"\s{0,9})?)?'

# Searched patterns begin with a set of characters, which `re` looks for many times as fast as for alternatives.
OPEN = re.compile(
    r"[<&`](?:(?P<tag>(?<=<)tool_calls?(?:\s[^<>]{0,200})?>)|(?P<escaped>(?<=&)lt;tool_calls?&gt;)"
    r"|(?P<result>(?<=<)tool_response(?=\W))|(?P<stray>(?<=<)/tool_calls?\s{0,9}>)"
    rf"|(?P<fence>(?<=`)``[\w-]{{0,20}}\s{{0,20}}(?=[\[{{][\s\[{{]{{0,9}}{_KEY})))",
    re.IGNORECASE,
)
BARE = re.compile(rf"\s*[\[{{][\s\[{{]{{0,9}}{_KEY}")
BARE_BEGUN = re.compile(rf"\s*(?:{_HEAD})?")
FENCE = re.compile(r"```[\w-]{0,20}\s{0,20}\Z")  # around a call with tags
CUT = re.compile(r"<tool_[cr][a-z]{0,8}(?:\s[^<>]{0,200})?\Z", re.IGNORECASE)
TURN = re.compile(r"=== (?:USER|TOOL|SYSTEM|ASSISTANT|FORMAT)\b")
_SPECIAL = re.compile(r"[<&`](?:(?<=<)/?(?:t|\Z)|(?<=&)(?:l|\Z)|(?<=`)(?:`|\Z))", re.IGNORECASE)
_TAG = _beginnings("tool_call", r"s?(?:\s[^<>]{0,200})?")
_ESCAPED_TAG = _beginnings("lt;tool_call", "s?" + _beginnings("&gt;"))
_TAG_BEGUN = re.compile(
    rf"[<&](?:(?<=<)(?:/?{_TAG}|{_beginnings('tool_response')})|(?<=&){_ESCAPED_TAG})\Z", re.IGNORECASE
)
END_BEGUN = re.compile(rf"</{_TAG}\Z", re.IGNORECASE)
_FENCE_BEGUN = re.compile(rf"``*[\w-]{{0,20}}\s{{0,20}}(?:{_HEAD})?\Z")

STRING = {quote: re.compile(rf"[^{quote}\\]*+(?:\\.[^{quote}\\]*+)*+", re.DOTALL) for quote in "\"'"}
# By kind of beginning: what has to be looked at between the marks, and the end mark. A new call ends one as well.
ENDS = {
    "tag": (re.compile("[\"'<]"), re.compile(r"</tool_calls?\s{0,9}>|(?=<tool_calls?[\s>]|<tool_response)", re.I)),
    "escaped": (re.compile("[&<]"), re.compile(r"(?:&lt;|<)/tool_calls?(?:&gt;|>)", re.I)),
    "fence": (re.compile('["`]'), re.compile("```")),
    "bare": (re.compile(r"(?!)"), re.compile(r"(?!)")),
}


def turn_begun(text: str) -> bool:
    """Can `text` become the mark of a turn, as prompts have them?"""
    return "=== ".startswith(text[:4]) and len(text) <= len("=== ASSISTANT")


def plain(text: str) -> bool:
    """Can no part of `text` belong to a call, if nothing before it does?"""
    return not _SPECIAL.search(text)


def next_open(text: str) -> re.Match[str] | None:
    """The first mark in `text` that begins a call or ends one by surprise. In inline code it is only talked about."""
    mark = OPEN.search(text)
    while mark and _inline(text, mark.start()):
        mark = OPEN.search(text, mark.end())
    return mark


def _inline(text: str, at: int) -> bool:
    before = text[max(at - 3, 0) : at]
    return before.endswith("`") and before != "```"


def without_space(text: str, end: int) -> int:
    """The end of `text[:end]` without the space behind it, of which no more than a window is looked at."""
    start = max(end - WINDOW, 0)
    return start + len(text[start:end].rstrip())


def certain(text: str) -> int:
    """How much of `text` is text, whatever follows: the rest may turn out to belong to a call."""
    end = len(text)
    if begun := _TAG_BEGUN.search(text, max(end - WINDOW, 0)):
        end = begun.start()
    fence = _FENCE_BEGUN.search(text, max(end - WINDOW, 0), end)
    return without_space(text, fence.start() if fence else end)
