"""`make bench-growth`: how cost grows with each size that a user or a team chooses.

fit          the exponent of a line of sizes and costs
inside       prompt, tools, answer and history in this process: the emulation alone
served       the same and the number of clients through the proxy, and the number of keys in the database
"""
