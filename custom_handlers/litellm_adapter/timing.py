"""Tells LiteLLM when StackSpot was asked and has answered, without which three of its metrics stay empty.

LiteLLM's own providers do it in its HTTP client, which a custom handler does not use.
"""

import time
from datetime import datetime, timedelta
from typing import Any

from litellm.litellm_core_utils.litellm_logging import Logging


def asked(logging: Any, sent: float | None) -> None:
    """Call before LiteLLM has any of the answer; `sent` is when the first request went, by time.monotonic()."""
    if sent is not None and isinstance(logging, Logging):
        began = datetime.now() - timedelta(seconds=time.monotonic() - sent)
        logging.model_call_details["api_call_start_time"] = began
        if logging.model_call_details.get("first_api_call_start_time") is None:
            logging.model_call_details["first_api_call_start_time"] = began


def answered(logging: Any, sent: float | None, waited: float) -> None:
    """Call before LiteLLM has the answer's end. What the call has `waited` for its turn is nobody's overhead."""
    if sent is not None and isinstance(logging, Logging):
        logging.model_call_details["llm_api_duration_ms"] = (time.monotonic() - sent + waited) * 1000
