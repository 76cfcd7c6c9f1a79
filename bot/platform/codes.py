"""Discord's error codes that the bot distinguishes, and their meaning for it.

https://docs.discord.com/developers/topics/opcodes-and-status-codes
"""

from __future__ import annotations

import aiohttp
import discord

from bot.platform.unreadable import Unreadable

UNKNOWN_CHANNEL = 10003
UNKNOWN_GUILD = 10004
UNKNOWN_MEMBER = 10007
UNKNOWN_MESSAGE = 10008
UNKNOWN_USER = 10013  # of an account that was deleted
UNKNOWN_INTERACTION = 10062
ALREADY_ACKNOWLEDGED = 40060  # of an interaction
EDITED_TOO_OFTEN = 30046  # a message older than an hour
MISSING_ACCESS = 50001
NOT_TO_THIS_USER = 50007  # of a direct message: they take none, or share no server
MISSING_PERMISSIONS = 50013
THREAD_ARCHIVED = 50083  # and locked: the bot would open one that is only archived
INVALID_FORM_BODY = 50035
REPLY_WITHOUT_HISTORY = 160002  # the bot may write there, and not read what it would reply to
BLOCKED_BY_AUTOMOD = (200000, 200001)  # a message, or a title: a rule of the server forbids words

AUTHENTICATION_FAILED = 4004  # a gateway's close code

# The errors of a request when Discord or the network fails, or the answer can't be read.
RequestFailed = (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError, Unreadable)


# Statuses of refusals that pass: the token is being changed, or requests came too slowly or often.
PASSING = (401, 408, 429)


def is_rejection(error: BaseException) -> bool:
    """Whether Discord refused a request, for whatever reason, and doesn't just fail. The same
    request will hardly succeed later, but the refusal may be a mistake."""
    if not isinstance(error, discord.HTTPException):
        return False
    return 400 <= error.status < 500 and error.status not in PASSING


def may_not_write(error: BaseException) -> bool:
    """Whether Discord refused a message since the bot may not write there, not even why."""
    locked = isinstance(error, discord.HTTPException) and error.code == THREAD_ARCHIVED
    return locked or is_refusal(error)


def refuses_reply(error: discord.HTTPException) -> bool:
    """Whether Discord refused a message since it replies to another one: it may not, or that one is
    gone. The same message without the reply may be sent."""
    gone = error.code == INVALID_FORM_BODY and "message_reference" in error.text
    return gone or error.code == REPLY_WITHOUT_HISTORY


def is_deleted(error: BaseException) -> bool:
    """Whether Discord said that the channel no longer exists; another 404 may be a mistake."""
    return isinstance(error, discord.NotFound) and error.code == UNKNOWN_CHANNEL


def is_refusal(error: BaseException) -> bool:
    """Whether Discord said that the bot may not do something; another 403 may be a mistake."""
    refusals = (MISSING_ACCESS, MISSING_PERMISSIONS)
    return isinstance(error, discord.Forbidden) and error.code in refusals
