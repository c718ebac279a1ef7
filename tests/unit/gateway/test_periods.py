"""Days in a time zone, and what they are in UTC."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.failures import InputError
from gateway.periods import Period, local_zone, read_zone

SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def test_a_day_at_utc_minus_three_begins_three_hours_later() -> None:
    period = Period(date(2026, 11, 1), date(2026, 11, 2), SAO_PAULO)
    assert (period.begin, period.end) == (datetime(2026, 11, 1, 3, tzinfo=UTC), datetime(2026, 11, 3, 3, tzinfo=UTC))
    assert period.whole_utc_days() == (date(2026, 11, 2), date(2026, 11, 3))
    assert period.day(datetime(2026, 11, 2, 2, 59, 59, tzinfo=UTC)) == "2026-11-01"
    assert str(period) == "2026-11-01 to 2026-11-02 (America/Sao_Paulo)"


def test_one_day_there_holds_no_whole_day_of_utc() -> None:
    first, behind = Period(date(2026, 11, 1), date(2026, 11, 1), SAO_PAULO).whole_utc_days()
    assert first == behind


def test_in_utc_every_day_is_whole() -> None:
    period = Period(date(2026, 11, 1), date(2026, 11, 2), UTC)
    assert period.whole_utc_days() == (date(2026, 11, 1), date(2026, 11, 3))


def test_a_day_on_which_clocks_change_has_its_own_length() -> None:
    period = Period(date(2026, 3, 29), date(2026, 3, 29), ZoneInfo("Europe/Lisbon"))
    assert (period.end - period.begin).total_seconds() == 23 * 3600


def test_the_environment_s_zone() -> None:
    assert local_zone({"TZ": ":America/Sao_Paulo"}) == SAO_PAULO
    assert datetime.now(local_zone({"TZ": "no such zone"})).utcoffset() == datetime.now().astimezone().utcoffset()


@pytest.mark.parametrize("given", ["Sao_Paulo", "", "../etc/passwd", "/etc/localtime", "a\0b"])
def test_an_unknown_zone_gets_one_sentence(given: str) -> None:
    with pytest.raises(InputError, match=r"^--timezone is .* like America/Sao_Paulo\.$"):
        read_zone("--timezone", given)
