"""The sentences for errors, as members read them."""

from __future__ import annotations

import logging
import secrets

import aiohttp
import discord
from discord import app_commands

from bot.ops.logs import fields
from bot.platform.codes import (
    ALREADY_ACKNOWLEDGED,
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
)
from bot.platform.refusal import Refusal
from bot.platform.unreadable import Unreadable
from bot.text.answers import ASK_SOMETHING, NOT_IN_A_SERVER, PICTURE_UNAVAILABLE
from bot.text.pieces import permission_names, quoted
from index import (
    EmptyQuery,
    GalleryClosed,
    GalleryError,
    LinkGone,
    ModelChanged,
    PictureError,
    StoreFull,
    StoreLocked,
)
from index import Unreadable as UnreadableLine

log = logging.getLogger(__name__)


RESTARTING = "I am just restarting. Please ask again in a minute."
DISCORD_TROUBLE = "Discord is having trouble right now. Please try again in a minute."
UNREADABLE = "Discord described that in a way that I can't read, so I could not do it."
DISK_FULL = "My disk is full, so I could not do that; searching still works."
FILE_IN_USE = "Another program holds my file, so I could not do that just now."
SOMETHING_WRONG = "Something went wrong on my side."
TOO_SLOW = "That took too long, so I gave up. Please try again in a minute."
COMMANDS_CHANGED = "My commands have just changed. Reload Discord (Ctrl+R) and try again."
NOT_PERMITTED = (
    "Discord does not let me do that here: I am missing a permission in this channel. "
    "Somebody who manages the server can give it to my role."
)
NOT_ALLOWED = "That command is not open to you here."


def sentence(error: BaseException) -> str:
    """The sentence for the member who met `error`.

    An unforeseen error, or one that only the operator can mend, is logged with its traceback under
    a short reference, which the sentence names.
    """
    return _expected(error) or _referenced(error)


def _expected(error: BaseException) -> str | None:
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, app_commands.AppCommandError):
        return _of_command(error)
    if isinstance(error, GalleryError):
        return _of_gallery(error)
    if isinstance(error, discord.HTTPException):
        return _of_discord(error)
    if isinstance(error, Refusal):
        return str(error)
    if isinstance(error, Unreadable):
        return UNREADABLE
    if isinstance(error, aiohttp.ClientError):  # Discord hung up
        return DISCORD_TROUBLE
    return TOO_SLOW if isinstance(error, TimeoutError) else None


def _of_gallery(error: GalleryError) -> str | None:
    if isinstance(error, EmptyQuery):
        return ASK_SOMETHING
    if isinstance(error, LinkGone):
        return PICTURE_UNAVAILABLE
    if isinstance(error, GalleryClosed):
        return RESTARTING
    if isinstance(error, PictureError | ModelChanged):
        return str(error)
    if isinstance(error, UnreadableLine):
        return quoted(error.reason, 500)
    return None  # of the model or the store: its text names files of this machine


def _of_discord(error: discord.HTTPException) -> str | None:
    if error.code in (MISSING_ACCESS, MISSING_PERMISSIONS):
        return NOT_PERMITTED
    if error.code in (UNKNOWN_CHANNEL, UNKNOWN_MESSAGE):
        return PICTURE_UNAVAILABLE
    trouble = error.status >= 500 or error.status == 429 or error.code == ALREADY_ACKNOWLEDGED
    return DISCORD_TROUBLE if trouble else None


def _of_command(error: app_commands.AppCommandError) -> str | None:
    if isinstance(error, app_commands.NoPrivateMessage):
        return NOT_IN_A_SERVER
    if isinstance(error, app_commands.MissingPermissions):
        return f"You need {permission_names(error.missing_permissions)} for that."
    if isinstance(error, app_commands.BotMissingPermissions):
        return f"I need {permission_names(error.missing_permissions)} here for that."
    if isinstance(error, app_commands.CommandOnCooldown):
        return f"That was quick. Please wait {error.retry_after:.0f} seconds."
    if isinstance(error.__cause__, Refusal):  # from an option
        return str(error.__cause__)
    if isinstance(error, app_commands.TransformerError):
        return f"I cannot make sense of “{quoted(str(error.value))}” there."
    if isinstance(error, app_commands.CheckFailure):
        return NOT_ALLOWED
    if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        return COMMANDS_CHANGED
    return None


def _referenced(error: BaseException) -> str:
    reference = secrets.token_hex(3)
    log.error(fields("unexpected_error", reference=reference), exc_info=error)
    return f"{_what_happened(error)} The details are in my log under `{reference}`."


def _what_happened(error: BaseException) -> str:
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, StoreFull):
        return DISK_FULL
    return FILE_IN_USE if isinstance(error, StoreLocked) else SOMETHING_WRONG
