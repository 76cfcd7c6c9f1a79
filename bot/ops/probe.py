"""`python -m bot --health`: asks the bot that runs with the same settings how it is."""

from __future__ import annotations

import ipaddress
import json
import urllib.error
import urllib.request
from typing import Any

from bot.ops.health import READY, STARTING
from bot.ops.settings import Address

TIMEOUT_S = 5.0


def ask(address: Address | None) -> tuple[bool, str]:
    """Whether the bot is well, and a sentence that says how it is.

    A bot that is starting is well: it may be downloading its model. Where MAGPIE_HTTP is off,
    nobody can tell, so it counts as being well.
    """
    if address is None:
        return True, "MAGPIE_HTTP is off, so nobody can ask the bot how it is."
    try:
        state = _healthz(address)
    except (OSError, ValueError, LookupError, TypeError) as error:
        reason = getattr(error, "reason", error)
        why = getattr(reason, "strerror", None) or reason
        return False, f"The bot does not answer at {address} ({why})."
    if state == STARTING:
        return True, "The bot is starting: it loads its model, or downloads it."
    if state == READY:
        return True, "The bot is ready."
    return False, "The bot is not connected to Discord, or is stuck."


def _healthz(address: Address) -> Any:
    """The `state` that /healthz tells.

    raises   OSError; ValueError, LookupError or TypeError if another program answers
    """
    near = Address(reachable(address.host), address.port)
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with straight.open(f"http://{near}/healthz", timeout=TIMEOUT_S) as answer:
            return json.load(answer)["state"]
    except urllib.error.HTTPError as refusal:  # 503 has a body, too
        with refusal:
            return json.load(refusal)["state"]


def reachable(host: str) -> str:
    """The host to ask at: 0.0.0.0 and :: stand for all addresses of this machine."""
    try:
        every = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host
    return ("::1" if ":" in host else "127.0.0.1") if every else host
