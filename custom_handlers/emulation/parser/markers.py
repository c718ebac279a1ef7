"""Where calls, thoughts, code fences and invented turns begin in an answer.

Every marker is bounded, so that no answer is searched twice. docs/tool-calls.md says which model writes which of them.
"""

import re

from custom_handlers.emulation.parser.patterns import one_of, row, run

WINDOW = 300  # no marker is longer, and no longer tail is held back for one
SPACE = " \t\r\n\f\v\u00a0\u200b\u200c\u200d\u2060\ufeff"  # with the characters that nobody sees
_BLANK = r"[ \t\r\u00a0\u200b-\u200d\u2060\ufeff]"
_few = run(_BLANK, 0, 3)
_gap = run(r"[\s\u200b-\u200d\u2060\ufeff]", 0, 9)
_quote = run("[\"']", 0, 1)
_name = run(r"[\w.:/-]", 1, 128)
_attributes = row(run(r"\s", 1, 1), run("[^<>]", 0, 100)).maybe()

# What follows the first character of a marker, by that character: `re` looks for a set of characters many times as fast
# as for alternatives.
_dsml = row("｜DSML｜", run(" ", 0, 1))
_calls = one_of("tool_calls", "tool_call", "function_calls", "antml:function_calls", "minimax:tool_call")
_dsml_calls = row(_dsml, one_of("function_calls", "tool_calls", "calls"))
_tag = one_of(
    row(_calls, _attributes, ">"),
    row(_dsml_calls, ">"),
    *("|tool_calls_section_begin|>", "|tool_call_begin|>", "｜tool▁calls▁begin｜>", "｜tool▁call▁begin｜>"),
    *("|python_tag|>", "|python_start|>", "|tool_call>"),
)
_invoke = row(one_of("invoke", "antml:invoke", row(_dsml, "invoke")), run(r"\s", 1, 3), "name=")
_named = row(
    one_of(_invoke, "function=", row("function", run(r"\s", 1, 3), "name=")),
    *(_quote, run(r"[^<>\"'/\s]", 1, 128), run("[^<>]", 0, 20), ">"),
)
_end_tag = one_of(
    row(
        "/",
        one_of(row(_calls, _gap), row(_dsml_calls), row(one_of(_dsml, "antml:", ""), "invoke"), row("function", _gap)),
        ">",
    ),
    *("|tool_calls_section_end|>", "|tool_call_end|>", "｜tool▁calls▁end｜>", "｜tool▁call▁end｜>"),
    *("|python_end|>", "|eom_id|>", "|eot_id|>", "|im_end|>", "tool_call|>", "/s>"),
)
_harmony = row(one_of("|start|>assistant", "|channel|>"), run(r"[^{}\n]", 0, 120, lazy=True), "<|message|>")
_ids = row(row("[CALL_ID]", run(r"\w", 1, 40)).maybe(), row("[ARGS]").maybe())
_words = one_of("thinking", "think", "thought", "reasoning")
_quoting = one_of("pre", "code", "example", "blockquote", "xmp")
_key = one_of(
    row(one_of('"name"', '"tool"'), _gap, ":", _gap, '"', run(r'[^"\\\n]', 1, 128).named("first"), '"'),
    row(one_of('"function"', '"type"', '"arguments"', '"parameters"'), _gap, ":"),
)
_turn = row(
    *("=== ", one_of("SYSTEM", "TOOLS", "TOOL", "USER", "ASSISTANT", "FORMAT")),
    *(row(" (", run(r"[^()\n]", 0, 100), ")").maybe(), row(" ", run("[a-z2-7]", 6, 6)).maybe(), " ===", _few),
)
# Under the first character of a marker: what else must be there for it, and for its beginning, which is soon looked up.
_MARKS = {
    "<": (
        r"(?=/?(?:to|fu|an|mi|in|th|re|pr|co|ex|bl|xm|｜)|[|!]|/s>)",
        r"(?=/?(?:to|fu|an|mi|in|th|re|pr|co|ex|bl|xm|｜)[^<>]{0,200}\Z|\||/?[tfaimrpcebxs]?\Z)",
        one_of(
            *(_tag.named("tag"), _named.named("named"), _end_tag.named("stray"), _harmony.named("harmony")),
            *(row(_words, _gap, ">").named("think"), row("/", _words, _gap, ">").named("thought")),
            row("|channel>thought", run(r"\s", 1, 1)).named("channel"),
            one_of("|end|>", "|call|>", "|return|>").named("token"),
            row("tool_response", run(r"[\s>]", 1, 1)).named("result"),
            *(row(_quoting, ">").named("quoting"), row("/", _quoting, ">").named("quoted")),
        ),
    ),
    "[": (
        "(?=TO|TH)",
        r"(?=T|\Z)",
        one_of(
            row("TOOL_CALLS]", _gap, one_of(run(r"[\[{]", 1, 1), row(_name, _gap, _ids, _gap, "{"))).named("mistral"),
            row("THINK]").named("bracket"),
        ),
    ),
    "`": (
        "(?=``)",
        r"(?=``[^\n]{0,120}\Z|`?\Z)",
        row("``", run("`", 0, 20), run(r"[^`\n]", 0, 100), "\n").named("fence"),
    ),
    "\n": (
        rf"{_BLANK}{{0,40}}+(?=[\[{{~<=]|ass|ana|com|to=)",
        rf"{_BLANK}{{0,40}}+(?=[\[{{~<=act]|\Z)",
        one_of(
            row(run(r"[\[{]", 1, 1), run(r"[\s\[{]", 0, 9), _key).named("bare"),
            row("[", run(r"[A-Za-z_]", 1, 1), run(r"[\w.]", 0, 127), "(").named("python"),
            row(
                *(one_of("assistant", ""), one_of("analysis", "commentary", ""), _few, "to=functions."),
                *(run(r"[\w.-]", 1, 128), run(r"[^{\n]", 0, 60), run("\n", 0, 1), "{"),
            ).named("plain"),
            row("~~~", run(r"[^\n]", 0, 100), "\n").named("tilde"),
            row("<", run("[A-Za-z_]", 1, 1), run(r"[\w.-]", 0, 64), ">", _gap, "<").named("xml"),
            row(_turn, "\n").named("turn"),
        ),
    ),
}


def _any(*, begun: bool) -> str:
    return "|".join(
        f"{re.escape(first)}{guards[begun]}(?:{marker.begun if begun else marker.full})"
        for first, (*guards, marker) in _MARKS.items()
    )


OPEN = re.compile(_any(begun=False))
_BEGUN = re.compile(f"(?:{_any(begun=True)})\\Z")
# What has none of these holds no marker and no beginning of one.
SUSPECT = re.compile(
    rf"\n{_BLANK}{{0,40}}+(?=[\[{{~<=]|ass|ana|com|to=|(?:as?|an|co?|to?)?\Z)|`(?=``|`?\Z)|\[(?=T[OH]|T?\Z)"
    r"|<(?=/?(?:to|fu|an|mi|in|th|re|pr|co|ex|bl|xm|｜|[tfaimrpcebxs]?\Z)|[|!]|/s>)"
)
# A beginning of which the end of the text leaves open whether it is one, with little in it.
SUSPECT_BEGUN = re.compile(rf"(?:\n{_BLANK}{{0,40}}+(?:as?|an|co?|to?)?|``?|\[T?|</?[tfaimrpcebxs]?)\Z")
# The same within a code fence.
FENCE_SUSPECT = re.compile(rf"\n{_BLANK}{{0,40}}+(?=[`~]|\Z)")
FENCE_SUSPECT_BEGUN = re.compile(rf"\n{_BLANK}{{0,40}}+[`~]?\Z")
FENCE_END = re.compile(rf"\n{_BLANK}{{0,40}}+(`{{3,}}|~{{3,}}){_BLANK}{{0,40}}(?:\n|\Z)")
_FENCE_END_BEGUN = re.compile(rf"\n{_BLANK}{{0,40}}+[`~]{{0,200}}{_BLANK}{{0,40}}\Z")
LAST_TURN = re.compile(rf"\n{_BLANK}{{0,3}}{_turn.full}\Z")
LAST_FENCE = re.compile(rf"\s*(`{{3,}}|~{{3,}}){_BLANK}{{0,40}}\Z")
CUT = re.compile(
    r"(?:<tool_[cr][a-z]{0,8}(?:\s[^<>]{0,100})?|\[TOOL_CALLS\]\s{0,9}[\w.:/\[\]-]{0,200}"
    r"|<\|(?:start\|>assistant|channel\|>)[^{}\n]{0,80}to=[^{}\n]{0,80}"
    r"|<(?:function=|(?:antml:)?invoke\s{1,3}name=)[^<>]{0,100})\Z"
)

_beginning = row(_gap, "<", _words, _gap, ">")
THOUGHT_BEGINNING, THOUGHT_BEGUN = re.compile(_beginning.full), re.compile(_beginning.begun)
_THOUGHT_END = one_of(row("</", _words, _gap, ">"), "[/THINK]", "<channel|>", "<|end|>", "<|return|>", "<|start|>")
_THOUGHT_END_BEGUN = re.compile(rf"(?=[<\[]){_THOUGHT_END.begun}\Z")


def thought_end(opening: str) -> re.Pattern[str]:
    """What ends the thought that `opening` begins."""
    word = opening.strip(f"<[|>{SPACE}")
    if opening.startswith("["):
        return re.compile(r"\[/THINK\]")
    if word.startswith("channel>"):
        return re.compile(r"<channel\|>")
    if opening.startswith("<|"):
        return re.compile(r"<\|(?:end|return)\|>|(?=<\|start\|>)")
    return re.compile(rf"</{re.escape(word)}\s{{0,9}}>")


def begun(text: str, start: int = 0) -> int:
    """Where at the end of `text` a marker may have begun, or its length."""
    marker = _BEGUN.search(text, max(len(text) - WINDOW, start))
    return marker.start() if marker else len(text)


def fence_end_begun(text: str) -> int:
    marker = _FENCE_END_BEGUN.search(text, max(len(text) - WINDOW, 0))
    return marker.start() if marker else len(text)


def thought_end_begun(text: str) -> int:
    marker = _THOUGHT_END_BEGUN.search(text, max(len(text) - WINDOW, 0))
    return marker.start() if marker else len(text)


def blank(text: str) -> bool:
    return not text.strip(SPACE)
