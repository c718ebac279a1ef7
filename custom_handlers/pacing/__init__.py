"""One account, one limit: when each request may go to StackSpot, and whose turn it is. No HTTP and no LiteLLM here.

pace         when the next may go: GCRA with a burst, a log of the last minute, what 429s have taught
fair_queue   whose turn it is: start-time fair queueing over the keys that wait
policy       both together, and who is told at once that it would take too long
             (these three are pure: a clock is passed in)
quota        the words of all stores: Quota, Turn, NoTurnError, Status, Pacer
memory       the Pacer of one process
shared       the Pacer of all processes, through Redis: link (one event loop's connection), waiter (one that waits
             there), history (what this process has sent), script and shared_state.lua (the policy as one script)

Settings: STACKSPOT_REQUESTS_PER_MINUTE (100; 0 is off), STACKSPOT_BURST (5), STACKSPOT_MAX_WAIT_SECONDS (60),
STACKSPOT_MAX_QUEUE (1000).

Why so, and not with what there is (docs/sharing.md has the figures):
- LiteLLM's scheduler orders by a priority that the request brings, and only while no deployment is healthy. It polls
  every 3 ms, and keeps its queue in Redis by a read and a write without a lock. dynamic_rate_limiter_v3 and the limits
  of keys refuse and never queue, in fixed windows: the account is spent in seconds, by the quick.
- pyrate-limiter paces, by a log or by GCRA, but serves whoever asks first: no queue, no keys. Its bucket in Redis takes
  the time from the client.
- GCRA alone spreads requests, but allows the limit and the burst in one window. StackSpot counts the last 60 s, so a
  log of them is kept beside it.
- Fair queueing by tags costs O(log n), where round robin needs a quantum for weights. A key has one tag, so a request
  that leaves the queue costs its key nothing.
- A 429 says that others use the account too. As in TCP, the pace falls by a part once for each burst of them and grows
  by a constant, which finds what the others leave without knowing it.
"""
