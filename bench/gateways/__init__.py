"""`make bench`: this gateway beside what else could stand there, in one run on one machine.

cells        what is asked: how many clients, streamed or not, how large the prompt, how long the answer
load         asks it, in a process of its own
proxies      LiteLLM's proxies: this project's bundle, and one as installed
others       gateways of others: installed, started
phases       what is measured, in which order
results      the figures, as they are written to bench/results/gateways.json
tables, targets, picture     what docs/benchmarks.md shows of them
"""
