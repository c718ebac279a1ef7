"""What is changed in LiteLLM's answers on their way back to the client."""

from __future__ import annotations

from typing import Any

from custom_handlers.guard.asgi_types import Send


def mend(surface: str, body: dict[str, Any], send: Send) -> Send:
    """A `send` that mends the answer to `body`, as it was after prepare(), on `surface`."""
    return send
