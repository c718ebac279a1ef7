"""How long answers of /v1/responses are kept: a setting from the environment."""

from collections.abc import Mapping

MINUTES = "STACKSPOT_RESPONSES_MINUTES"
VARIABLES = (MINUTES,)
MOST_MINUTES = 43_200  # thirty days, as long as OpenAI keeps them


def read_minutes(environ: Mapping[str, str], mistakes: list[str]) -> int:
    """0 for not at all. What is wrong is added to `mistakes`."""
    text = environ.get(MINUTES, "").strip()
    if not text:
        return 0
    if text.isascii() and text.isdecimal() and int(text[:20]) <= MOST_MINUTES:
        return int(text)
    mistakes.append(f"{MINUTES} must be a whole number from 0 to {MOST_MINUTES}.")
    return 0
