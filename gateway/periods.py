"""Days as a team has them: in its time zone, and what they are in UTC, in which LiteLLM counts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.failures import InputError

LOCALTIME = Path("/etc/localtime")


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: date
    last: date
    zone: tzinfo

    @property
    def begin(self) -> datetime:
        return self._midnight(self.first)

    @property
    def end(self) -> datetime:
        return self._midnight(self.last + timedelta(days=1))

    def whole_utc_days(self) -> tuple[date, date]:
        """The first day of UTC that is in the period as a whole, and the first that is not any more."""
        first = self.begin.date() if self.begin.time() == time() else self.begin.date() + timedelta(days=1)
        return first, max(first, self.end.date())

    def day(self, moment: datetime) -> str:
        return str(moment.astimezone(self.zone).date())

    def __str__(self) -> str:
        name = getattr(self.zone, "key", None) or datetime.now(self.zone).tzname()
        return f"{self.first} to {self.last} ({name})"

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


def recent(days: int, zone: tzinfo) -> Period:
    """So many days back, today included."""
    today = datetime.now(zone).date()
    return Period(today - timedelta(days=days - 1), today, zone)


def read_zone(label: str, given: str) -> tzinfo:
    try:
        return ZoneInfo(given)
    except (ValueError, OSError, LookupError):  # ZoneInfoNotFoundError is a KeyError
        raise InputError(
            f"{label} is {given!r}: it has to be a time zone that this machine knows, like America/Sao_Paulo."
        ) from None


def local_zone(environ: Mapping[str, str] = os.environ) -> tzinfo:
    """That of TZ, else of the system; by its name where it has one, for days before a change of the clocks."""
    named = environ.get("TZ", "").lstrip(":") or str(LOCALTIME.resolve()).partition("zoneinfo/")[2]
    try:
        return read_zone("TZ", named) if named else UTC
    except InputError:
        return datetime.now().astimezone().tzinfo or UTC
