"""A stand-in for StackSpot AI: the same wire, over real HTTP, with switches for everything that can go wrong.

api/        StackSpot's interfaces
control/    faults, replies, the request log, and the API that tests set them with
model/      a scripted language model for coding agents
app, state  the routes of everything, and what is remembered
client      the Python client of the control API
cli         the command line: `python -m simulator` (settings: what it decides; listener: the socket)

Facts about the wire carry the source keys of the protocol reference (MIDIR, GAMBI, STKAI, DOC-AG ...). Where the
reference has only a guess, so does the stand-in.
"""
