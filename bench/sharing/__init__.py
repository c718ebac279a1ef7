"""`make bench-sharing`: how a team shares one StackSpot account through the gateway, with and without its pacer.

team       what runs: simulator, database, Redis, gateways
crew       who asks: coding agents with their developers' keys, and somebody else with the same account
audit      whether each request had one outcome, and whether it was charged
figures    answers a minute, errors, Jain's index, waits: the table
scenarios  what goes wrong meanwhile
cost       what the pacer costs a request that need not wait
picture    who got what over time, as docs/sharing.png
"""
