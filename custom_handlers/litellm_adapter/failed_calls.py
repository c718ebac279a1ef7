"""Books what failed calls have cost: LiteLLM leaves it out of some rows, and of the numbers that budgets go by."""

from typing import Any

from litellm.types.utils import Usage

from custom_handlers.core import notes


async def book(request_data: dict[str, Any], key: Any) -> None:
    """Call for each request that fails, before LiteLLM's own hook writes the failure to the database."""
    if not isinstance(request_data.get("combined_usage_object"), Usage):
        noted = notes.current()
        if not noted or not noted.bill:
            return
        request_data["combined_usage_object"], request_data["response_cost"] = noted.bill
    if cost := request_data.get("response_cost"):
        await _hold_against_budgets(key, float(cost))


async def _hold_against_budgets(key: Any, cost: float) -> None:
    from litellm.proxy import proxy_server  # there inside the proxy only

    await proxy_server.increment_spend_counters(
        token=key.api_key,
        team_id=key.team_id,
        user_id=key.user_id,
        response_cost=cost,
        org_id=key.org_id,
        end_user_id=key.end_user_id,
    )
