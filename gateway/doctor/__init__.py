"""`doctor`: one line for each thing that has to be right, and what to do about each that is not.

command         the command; runs the groups of checks together
results         what a check found; groups with time limits
settings        every setting, and where its value came from
configuration   the check that the gateway makes when it starts
network         the way out: proxy, certificates, and why a connection failed
stackspot       the token endpoint, the clock, the agents
answer          one streamed answer, read as docs/stackspot-api.md tells it
stores          Postgres and Redis
deep            each model tried as a coding agent
report          what the wire looked like, in a file
machine         the running gateway, memory, LiteLLM's version
"""
