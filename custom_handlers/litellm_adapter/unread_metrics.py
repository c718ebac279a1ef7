"""LiteLLM's counting for Prometheus, taken out where nobody reads it.

`callbacks: [prometheus]` counts for each request also where no port shows the numbers: the public one never does.
"""

from __future__ import annotations

import litellm

CALLBACK = "prometheus"


def leave_out() -> None:
    """To be called when LiteLLM has read its configuration: before it has made the callback, or after."""
    from litellm.integrations.prometheus import PrometheusLogger

    manager = litellm.logging_callback_manager
    for each in (CALLBACK, *manager.get_custom_loggers_for_type(PrometheusLogger)):
        manager.remove_callback_from_all_lists(each)
