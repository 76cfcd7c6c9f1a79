"""Discord's error codes that the bot distinguishes, and their meaning for it.

https://docs.discord.com/developers/topics/opcodes-and-status-codes
"""

from __future__ import annotations

import aiohttp
import discord

from bot.platform.unreadable import Unreadable

UNKNOWN_CHANNEL = 10003
UNKNOWN_GUILD = 10004
UNKNOWN_MESSAGE = 10008
UNKNOWN_INTERACTION = 10062
EDITED_TOO_OFTEN = 30046  # a message older than an hour
MISSING_ACCESS = 50001
MISSING_PERMISSIONS = 50013

AUTHENTICATION_FAILED = 4004  # a gateway's close code

# The errors of a request when Discord or the network fails, or the answer can't be read.
RequestFailed = (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError, Unreadable)


def is_deleted(error: BaseException) -> bool:
    """Whether Discord said that the channel no longer exists; another 404 may be a mistake."""
    return isinstance(error, discord.NotFound) and error.code == UNKNOWN_CHANNEL


def is_refusal(error: BaseException) -> bool:
    """Whether Discord said that the bot may not read something; another 403 may be a mistake."""
    refusals = (MISSING_ACCESS, MISSING_PERMISSIONS)
    return isinstance(error, discord.Forbidden) and error.code in refusals
