"""`doctor --deep`: each model tried as a coding agent, through the running gateway.

run       the whole: what it asks, what it says beforehand, the score of each model
asking    one case asked of the gateway
case      what a case is
checking  whether an answer is right, by code
tools, json_cases, turns   the cases
probe     canitoolcall's probe, where it is installed
"""
