"""`doctor --report FILE`: what StackSpot's wire looked like, beside what docs/stackspot-api.md only assumes.

shapes   names and types of JSON and headers, without a value
stream   a streamed answer as counts
wire     the requests, and what was seen of each answer
facts    what the reference marks with C or G, each with what was seen of it
unseen   the rest of these, each with why it cannot be seen
file     the file
"""
