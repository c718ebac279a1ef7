"""What the Makefile's targets run: a database without Docker, and keys, teams and usage over LiteLLM's API."""
