"""`make soak`: a team works for a long time, and nothing may be left over.

mix         which kinds of requests, how often each, and how each has to end
team        the developers: they ask in legs, and rest after each
watch       memory, open files, threads and tasks of the gateway
probe       a callback that tells the number of tasks (probe_file: where)
audit       what is wrong afterwards: outcomes, spend, what is still held
picture     all of it over time, as a PNG
"""
