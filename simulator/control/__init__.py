"""What a test sets and sees.

routes               the switches over HTTP, under /simulator/
faults, fault_store  how an answer is varied or broken, and which faults are in force
replies              answers that a test has queued, and rules
request_log          what was asked, and what became of it
token_store          the accounts, and the tokens that they were given
"""
