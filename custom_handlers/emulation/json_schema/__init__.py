"""Whether a value fits a JSON schema that a caller sent: no network, bounded work.

schema     the check (proof: an expensive one, in a process of its own)
reader     what a schema is before a check: draft, references, size (drafts)
run        a check within a budget (budget; keywords, applicators, evaluated, values)
"""
