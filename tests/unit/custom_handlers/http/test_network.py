"""Addresses that are private in disguise."""

import pytest

from custom_handlers.http.network import hides_private

PRIVATE = [
    *("64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "2002:7f00:1::"),
    *("2002:a9fe:a9fe::1", "::127.0.0.1", "::a9fe:a9fe", "::", "::1", "::ffff:0:192.168.1.1", "fec0::1"),
    *("fec0::1%eth0", "64:ff9b::e000:1", "64:FF9B::0:0"),
]
OTHERS = [
    *("8.8.8.8", "127.0.0.1", "2606:4700::1111", "64:ff9b::8.8.8.8", "2002:808:808::", "::ffff:0:8.8.8.8"),
    *("example.com", "", "64:ff9b::/96"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_ipv6_address_that_leads_to_a_private_one(address: str) -> None:
    assert hides_private(address)


@pytest.mark.parametrize("address", OTHERS)
def test_everything_else_is_judged_elsewhere(address: str) -> None:
    assert not hides_private(address)
