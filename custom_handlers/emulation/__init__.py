"""What a service that takes one text and gives one text lacks. No I/O: rounds asks through what it is given.

rounds, plan          what to ask, and how to read the answer, in one round or two
answer                one round: from the upstream's text to what the caller is told
prompt, tool_prompt   a conversation, and the tools, as one text
transcript, content   its turns, and what their parts hold (role_headers, tool_syntax: how they are written)
tool_parser           calls out of an answer (parts: what it finds; thoughts: what a model thinks; output: what is told)
tool_marks, call_marks, lines, patterns   which marks begin a call, a thought or a fence, and which are only quoted
open_call, call_bodies                    a call that has begun, and where it ends
tool_calls, tagged_calls                  what stands in a call, as JSON, as Python or between tags of its own
tool_arguments        which tool a call means, and with what (conversion: "30" for 30, and the like)
structured, schemas   JSON that fits a schema (proof: dear checks, in a process of their own)
schema_reader         what a schema is before a check: draft, references, size (schema_drafts)
schema_run            a check within a budget (schema_budget; schema_keywords, schema_applicators, schema_evaluated,
                      schema_values)
lenient_json          JSON as models write it (found_json: in an answer around it)
limits, tokenizer     stop texts, longest answer, longest prompt, counted in the models' own tokens
"""
