"""Where the probe writes: its own module, as the probe brings LiteLLM with it."""

FILE_VARIABLE = "SOAK_TASKS_FILE"
