"""A stand-in for StackSpot AI: the same wire, over real HTTP, with switches for everything that can go wrong.

    idm.py            who may call: the token endpoint
    agents.py         the Agents API: chat, streamed and not
    keyapi.py         the OpenAI-shaped API behind an `sk-` key
    uploads.py        files: the form, and the storage that takes it
    quickcommands.py  remote quick commands

    answers.py, model.py     what is answered
    faults.py, faultbook.py  how the answer is spoilt or varied
    plan.py, player.py       an answer as network writes, and the playing of them
    journal.py               what was asked, and what became of it
    control.py, client.py    the switches, and the Python client that tests turn them with

Facts about the wire carry the source keys of the protocol reference (MIDIR, GAMBI, STKAI, DOC-AG ...). Where the
reference has only a guess, so does the stand-in.
"""
