"""Calls, reasoning and invented turns out of an answer, while it streams in.

tool_call_parser   the whole, and where its rules are written down
answer_text, fence_reader, call_reader   its steps (lines, reasoning, output: what they keep)
flow               text in which nothing begins
segments           what it finds
markers            where things begin (patterns), and which markers begin a call (call_markers)
open_call          one call: where it ends (call_bodies), and what it says (json_calls, tagged_calls)
"""
