"""The work of clients that are no agents: an object out of a text."""

import json

TASK = "Ada orders seven pieces."
_ORDER = {"customer": "Ada", "pieces": 7}
# The first is not what the schema asks for, so that the gateway asks again.
FLAWED = f"<tool_call>{json.dumps({'name': 'Order', 'arguments': {'customer': 'Ada'}})}</tool_call>"
ANSWER = f"<tool_call>{json.dumps({'name': 'Order', 'arguments': _ORDER})}</tool_call>"
ASKED_AGAIN = "The message above cannot be used:"


def check(output: str) -> None:
    """The object was printed."""
    assert json.loads(output.splitlines()[-1]) == _ORDER, output
