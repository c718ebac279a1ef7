"""How each call of a model has ended, told once, whatever way it ends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from custom_handlers.core import notes, telemetry
from custom_handlers.core.errors import outcome_of
from custom_handlers.meter import Meter


@contextmanager
def told(model: str, *, stream: bool) -> Iterator[Meter]:
    """A meter for the call that the block serves; when the block ends, its outcome goes to telemetry."""
    meter, began, outcome = Meter(model), time.monotonic(), telemetry.LEFT
    try:
        yield meter
        outcome = telemetry.ANSWERED
    except Exception as error:
        outcome = outcome_of(error)
        raise
    finally:
        if meter.complete and outcome == telemetry.LEFT:  # who has had all of it need not wait for the generator's end
            outcome = telemetry.ANSWERED
        noted = notes.current()
        telemetry.tell(
            telemetry.RequestFinished(
                model,
                outcome,
                time.monotonic() - began,
                meter.attempts.waited,
                stream,
                noted.caller.alias if noted and noted.caller else "",
                meter.usage,
            )
        )
