"""A scripted language model.

models           the models by name
scripted_agent   one that edits files with a client's tools (tool_adapter: which tool; schema_filler: its arguments)
errands          the calls that a user names
malformed        what models do to the format that they were asked for
transcript       reads a gateway's prompt (written_calls, fields: how frameworks write calls as text)
"""
