"""The access token: kept, renewed early, asked for once however many want it, and never seen in a log."""
