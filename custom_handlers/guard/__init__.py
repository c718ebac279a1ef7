"""What stands in front of LiteLLM: which requests reach it, and with which fields, headers and sizes.

installation   puts the guard around LiteLLM's app
asgi       the guard: an ASGI app around LiteLLM's; asgi_types names ASGI's callables
hook       LiteLLM's own hook, behind the guard
routes     which paths and methods there are, and what each is answered
body       reads a request's body within limits, without holding the interpreter
fields     what may pass of a body, surface by surface
headers    what may pass of headers and query
chat, completions, messages, responses   what is changed in the body of one surface before LiteLLM sees it
replies    what is changed on the way back
refusal    the one exception, and its shape on each surface
"""
