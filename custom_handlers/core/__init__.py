"""What everything else is written in. Imports nothing of LiteLLM, and nothing of ours.

events         what an answer consists of
errors         what can go wrong, and the HTTP status that each becomes
models         the models by name
parameters     checks of what a caller sent beside the messages
notes          what the handler leaves for the proxy about a request
telemetry      what happens, told to what counts it or logs it
personal_data  finds CPF, CNPJ, telephone numbers and CEP in a text; masking takes them out of a request
tracing        spans of the request that is served; shown: texts of others in logs and traces
matched_stop   which stop sequence ended an answer, handed past LiteLLM
"""
