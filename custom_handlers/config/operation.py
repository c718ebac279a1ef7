"""Settings that litellm_config.yaml hands to LiteLLM: prices, how long requests are listed, and who may sign in.

LiteLLM takes what it cannot read for unset, or leaves the model out, in silence. So they are checked here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

PRICES = ("STACKSPOT_INPUT_COST_PER_TOKEN", "STACKSPOT_OUTPUT_COST_PER_TOKEN")
REQUEST_LOG = "STACKSPOT_KEEP_REQUEST_LOG"
VARIABLES = (*PRICES, REQUEST_LOG)
_TIME = re.compile(r"[1-9][0-9]{0,4}[hdw]")


def check_operation(environ: Mapping[str, str], mistakes: list[str]) -> None:
    """Adds what is wrong with these settings to `mistakes`."""
    given = [name for name in PRICES if name in environ]
    mistakes += [
        f"{name} must be the price of one token, such as 0.0000025; without it a unit of spend is a million tokens."
        for name in given
        if not _is_price(environ[name])
    ]
    if len(given) == 1:
        [other] = set(PRICES) - {*given}
        mistakes.append(f"{given[0]} is set and {other} is not: set both, or spend would be in two units.")
    if REQUEST_LOG in environ and not _TIME.fullmatch(environ[REQUEST_LOG].strip()):
        mistakes.append(f"{REQUEST_LOG} must be a time such as 90d, 12w or 48h; without it requests are kept.")


def _is_price(text: str) -> bool:
    try:
        price = float(text)
    except ValueError:
        return False
    return math.isfinite(price) and 0 <= price < 1
