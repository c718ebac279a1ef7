"""At what pace requests go to StackSpot, and how long they may wait for it: settings from the environment."""

from collections.abc import Mapping

from custom_handlers.pacing.quota import Quota

# Each variable with its field, and what it may be set to. A client rarely waits for more than ten minutes.
_FIELDS = {
    "STACKSPOT_REQUESTS_PER_MINUTE": ("per_minute", 0, 1_000_000),
    "STACKSPOT_BURST": ("burst", 1, 1_000_000),
    "STACKSPOT_MAX_WAIT_SECONDS": ("max_wait", 1, 3600),
    "STACKSPOT_MAX_QUEUE": ("max_queue", 1, 1_000_000),
}
VARIABLES = tuple(_FIELDS)


def read_quota(environ: Mapping[str, str], mistakes: list[str]) -> Quota | None:
    """What the account may do; None for an account without a limit. What is wrong is added to `mistakes`."""
    found: dict[str, int] = {}
    for name, (field, least, most) in _FIELDS.items():
        text = environ.get(name, "").strip()
        if text.isascii() and text.isdecimal() and least <= int(text[:20]) <= most:
            found[field] = int(text)
        elif text:
            mistakes.append(f"{name} must be a whole number from {least} to {most}.")
    if found.get("per_minute") == 0:
        return None
    return Quota(**found)
