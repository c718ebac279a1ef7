"""Unknown keys: so many refusals a second, and never at the cost of a key that is known."""

from typing import Any

import pytest

from custom_handlers.guard.rejection import RejectedError
from custom_handlers.guard.unknown_keys import A_SECOND, AT_ONCE, REMEMBERED, UnknownKeys


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def unknown_keys(clock: Clock) -> UnknownKeys:
    return UnknownKeys(clock)


async def ask(
    unknown_keys: UnknownKeys, key: str, status: int, header: bytes = b"authorization", *, management: bool = False
) -> None:
    """A request with `key`, to which LiteLLM answers `status`."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    learning = unknown_keys.check([(b"host", b"x"), (header, key.encode())], send, management=management)
    messages: list[Any] = [
        {"type": "http.response.start", "status": status},
        {"type": "http.response.body", "body": b""},
    ]
    for message in messages:
        await learning(message)
    assert sent == messages


async def flood(unknown_keys: UnknownKeys) -> None:
    for number in range(int(AT_ONCE)):
        await ask(unknown_keys, f"nobody-{number}", 401)


async def test_after_so_many_refusals_a_new_key_is_told_to_come_again(unknown_keys: UnknownKeys) -> None:
    await flood(unknown_keys)
    with pytest.raises(RejectedError, match="Try again in a few seconds") as refused:
        await ask(unknown_keys, "new", 200)
    assert refused.value.status == 429
    assert refused.value.headers == [(b"retry-after", b"2")]


async def test_a_known_key_passes_whatever_the_others_do(unknown_keys: UnknownKeys) -> None:
    await ask(unknown_keys, "known", 200)
    await flood(unknown_keys)
    for _ in range(3):
        await ask(unknown_keys, "known", 200)


async def test_new_keys_pass_again_as_time_goes_by(unknown_keys: UnknownKeys, clock: Clock) -> None:
    await flood(unknown_keys)
    clock.now += 1
    for number in range(int(A_SECOND)):
        await ask(unknown_keys, f"another-{number}", 401)
    with pytest.raises(RejectedError):
        await ask(unknown_keys, "new", 200)
    clock.now += 3600
    await flood(unknown_keys)
    with pytest.raises(RejectedError):
        await ask(unknown_keys, "new", 200)


async def test_answers_cost_nothing(unknown_keys: UnknownKeys) -> None:
    for number in range(2 * int(AT_ONCE)):
        await ask(unknown_keys, f"key-{number}", 200)
        await ask(unknown_keys, f"mistaken-{number}", 400)
    await ask(unknown_keys, "new", 200)


async def test_a_key_that_is_revoked_is_no_longer_known(unknown_keys: UnknownKeys) -> None:
    await ask(unknown_keys, "former", 200)
    await flood(unknown_keys)
    await ask(unknown_keys, "former", 401)
    with pytest.raises(RejectedError):
        await ask(unknown_keys, "former", 401)


async def test_a_key_that_may_not_manage_stays_known(unknown_keys: UnknownKeys) -> None:
    await ask(unknown_keys, "developer", 200)
    await flood(unknown_keys)
    await ask(unknown_keys, "developer", 401, management=True)
    await ask(unknown_keys, "developer", 200)


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500])
async def test_only_an_answer_makes_a_key_known(unknown_keys: UnknownKeys, status: int) -> None:
    await ask(unknown_keys, "stranger", status)
    await flood(unknown_keys)
    with pytest.raises(RejectedError):
        await ask(unknown_keys, "stranger", 200)


async def test_a_key_is_known_by_the_header_that_it_comes_in(unknown_keys: UnknownKeys) -> None:
    await ask(unknown_keys, "known", 200, header=b"x-api-key")
    await flood(unknown_keys)
    await ask(unknown_keys, "known", 200, header=b"x-api-key")
    with pytest.raises(RejectedError):
        await ask(unknown_keys, "known", 200)


async def test_so_many_are_remembered_the_last_ones(unknown_keys: UnknownKeys) -> None:
    for number in range(REMEMBERED + 1):
        await ask(unknown_keys, f"key-{number}", 200)
    await flood(unknown_keys)
    await ask(unknown_keys, f"key-{REMEMBERED}", 200)
    with pytest.raises(RejectedError):
        await ask(unknown_keys, "key-0", 200)


async def test_no_key_is_kept(unknown_keys: UnknownKeys) -> None:
    await ask(unknown_keys, "sk-of-somebody", 200)
    assert "sk-of-somebody" not in repr(vars(unknown_keys))
