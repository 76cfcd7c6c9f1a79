"""Members and servers may ask only so many questions a minute."""

from __future__ import annotations

import pytest

from bot.ask.rate_limiter import MINUTE_S, SERVER_FACTOR, RateLimiter
from bot.platform.refusal import Refusal


def test_a_member_who_asks_too_often_is_told_when_to_ask_again() -> None:
    now = 1000.0
    limiter = RateLimiter(3, clock=lambda: now)
    for _ in range(3):
        limiter.take(1, 11)
    with pytest.raises(Refusal, match=r"You are asking .* in 60 seconds"):
        limiter.take(1, 11)
    limiter.take(1, 12)  # other members may ask
    now += MINUTE_S
    limiter.take(1, 11)


def test_a_server_has_a_limit_of_its_own() -> None:
    limiter = RateLimiter(1)
    for member in range(SERVER_FACTOR):
        limiter.take(1, member)
    with pytest.raises(Refusal, match="This server is asking"):
        limiter.take(1, 999)
    limiter.take(2, 999_999)


def test_rate_0_means_no_limit() -> None:
    limiter = RateLimiter(0)
    for _ in range(1000):
        limiter.take(1, 1)
