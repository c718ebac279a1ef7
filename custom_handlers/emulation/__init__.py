"""What a service that takes one text and gives one text lacks. No I/O: it asks through what it is given.

emulator, request     what to ask, and how to read the answer, in one attempt or two
attempt               one attempt: from the upstream's text to what the caller gets
prompt, tool_prompt   a conversation, and the tools, as one text
transcript, content   its turns, and what their parts hold (role_headers, tool_syntax: how they are written)
tool_parser           calls, thoughts and invented turns out of an answer (answer_text, fence_reader, call_reader: its
                      steps; lines, thoughts, output, parts: what they keep)
tool_marks            where these begin (patterns), and which marks are calls (call_marks)
open_call             one call: where it ends (call_bodies), and what it says (tool_calls, tagged_calls)
tool_arguments        which tool a call means, and with what (conversion: "30" for 30, and the like)
structured, schemas   JSON that fits a schema (proof: dear checks, in a process of their own)
schema_reader         what a schema is before a check: draft, references, size (schema_drafts)
schema_run            a check within a budget (schema_budget; schema_keywords, schema_applicators, schema_evaluated,
                      schema_values)
lenient_json          JSON as models write it (found_json: in an answer around it)
limits, tokenizer     stop texts, longest answer, longest prompt, counted in the models' own tokens
"""
