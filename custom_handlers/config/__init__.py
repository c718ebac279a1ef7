"""What the operator has configured, checked as a whole before anything starts.

settings         the environment: the default StackSpot account, and those beside it
accounts         the names of accounts, and of their variables
credentials      who the gateway is to StackSpot
config_file      LiteLLM's configuration file: its StackSpot deployments, and every mistake in them
yaml_file        the same file as YAML, and the names that stand twice in it
deployment       one deployment's model_info, parsed once
request_limits   how much one request may hold
operation        prices, and what else the configuration file hands to LiteLLM
pacing           at what pace requests go to StackSpot
stored_responses for how long answers of /v1/responses are kept
traces           where traces go
addresses        where StackSpot is by default
spelling         which name was meant
"""
