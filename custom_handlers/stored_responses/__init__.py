"""The memory of /v1/responses: answers that a later request can name. No HTTP and no LiteLLM here.

responses    what is kept of an answer, and the conversation that it makes with those before it
store        the words of both stores: Store, their bounds, UnreachableError
local        the store of one process
shared       the store of all processes, through Redis: shared_values.lua is its script
sealing      compresses and encrypts what goes to Redis, which writes what it is given to a disk

Setting: STACKSPOT_RESPONSES_MINUTES (0, off).

Why not LiteLLM's: it reads a conversation back from its spend logs, so prompts lie in the database without an end, it
needs a database, and an id that it does not find begins a new conversation without a word. It cannot read or delete an
answer of a provider that speaks chat completions, and passes over references to items.
"""
