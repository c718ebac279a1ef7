"""What stands in front of LiteLLM: which requests reach it, and with which fields, headers and sizes.

installation   puts the guard around LiteLLM's app
asgi           the guard: an ASGI app around LiteLLM's; asgi_types names ASGI's callables
answering      how the guard answers by itself
routes         which paths and methods there are, and what they are
body           reads a request's body within the limits; scanning counts what it holds while it arrives
fields         what may pass of a body, surface by surface
headers        what may pass of a request's headers, and of an answer's
keys           the routes of keys that are made in the admin UI
chat, completions, messages, responses   what is changed in the body of one surface before LiteLLM sees it
counting       the same for the surface that counts tokens
shapes         whether what stands in a body is of the right type
spoken, content          parts of messages, and of tool results, as those that LiteLLM passes on
response_items           the same for the items of a Responses history
allowed_tools, offered_tools             which tools are shown to the model
stored         what a request of responses continues; keeping: its answer is kept; stored_reading: read and deleted
unknown_keys   how many refusals of keys a second are left to LiteLLM
connections    how many there may be, and how long one may be silent
asking         asks LiteLLM who sends a request
banner         what a unit of spend is, in the admin UI
replies        what is changed on the way back; call_events: the order of a streamed answer's calls
pieces         what LiteLLM sends, piece by piece
rejection      the one exception, and its shape on each surface
access_log     a line for each request of a model
error_headers  headers that the handler has noted for an answer that is an error
"""
