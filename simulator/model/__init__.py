"""A scripted language model.

models           the models by name
scripted_agent   one that edits files with a client's tools (tool_adapter: which tool, with which arguments)
errands          the calls that a user names
malformed        what models do to the format that they were asked for
transcript       reads a gateway's prompt
"""
