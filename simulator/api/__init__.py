"""StackSpot's interfaces.

oauth            who may call: the token endpoint
agents_api       the Agents API: chat, streamed and not (chat_body: what it is sent)
key_api          the OpenAI-shaped API behind an `sk-` key
uploads          files: the form, and the storage that takes it
quick_commands   remote quick commands
plan, streaming  an answer as network writes, and the sending of them (flood: as much of one thing as the network takes)
errors           every answer that is not an answer
"""
