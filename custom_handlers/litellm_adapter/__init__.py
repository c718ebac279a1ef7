"""The only place that imports LiteLLM, so that an upgrade of LiteLLM has one place to look at.

Whatever a check of the configuration needs imports LiteLLM when it is first used: LiteLLM takes seconds to import.

responses      our events as LiteLLM's answers and chunks
exceptions     our errors as LiteLLM's
going_on       what LiteLLM's router is told of a failure: whether another deployment or model may answer
custom_llm     LiteLLM's classes that the handler is written against
sync           synchronous callers
charging       who pays for a call that ends without an answer
hook           LiteLLM's own hook, behind the guard (failed_calls: books what failed calls have cost)
timing         when StackSpot was asked and has answered, for LiteLLM's own metrics
caller_route   a route that tells the guard who asks
pace_route     a route that shows administrators how the account is shared
forget_route   a route that deletes what is stored about a developer
registration   the models, for LiteLLM in-process
starting       LiteLLM's command, with an import that costs half as much
process        LiteLLM's own start: recognised, and ended when it cannot go on
traces         OpenTelemetry, where it is on
unread_metrics  LiteLLM's metrics, taken out where nobody reads them
unread_work    what LiteLLM computes for each response and throws away
repeated_work  what it works out again for each request, remembered
inline_calls   its preparation of our calls, on the loop in place of a thread
replacing      how a function of LiteLLM is replaced by one that uses it
garbage        when the proxy collects garbage
clock          LiteLLM's jobs, when the machine's clock is put back
kept_spend     what the database does not take now is written when it does
logs           logs as the proxy writes them
error_lines    a line for each failed request, in place of tracebacks
redis_client   the Redis that LiteLLM is configured with
http_client    LiteLLM's pooled client, and its judgement of which addresses are public
tokenizer      LiteLLM's tokenizer, and its folder of vocabularies
"""
