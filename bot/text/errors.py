"""The sentences for errors, as members read them."""

from __future__ import annotations

import logging
import secrets

import aiohttp
import discord
from discord import app_commands

from bot.languages.speech import _, joined, plural, said
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
from bot.text.answers import ask_something, not_in_a_server, picture_unavailable
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


def restarting() -> str:
    return _("I am just restarting. Please ask again in a minute.")


def discord_trouble() -> str:
    return _("Discord is having trouble right now. Please try again in a minute.")


def unreadable() -> str:
    return _("Discord described that in a way that I can't read, so I could not do it.")


def disk_full() -> str:
    return _("My disk is full, so I could not do that; searching still works.")


def file_in_use() -> str:
    return _("Another program holds my file, so I could not do that just now.")


def something_wrong() -> str:
    return _("Something went wrong on my side.")


def too_slow() -> str:
    return _("That took too long, so I gave up. Please try again in a minute.")


def commands_changed() -> str:
    return _("My commands have just changed. Reload Discord (Ctrl+R) and try again.")


def not_permitted() -> str:
    return _(
        "Discord does not let me do that here: I am missing a permission in this channel. "
        "Somebody who manages the server can give it to my role."
    )


def not_allowed() -> str:
    return _("That command is not open to you here.")


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
        return error.sentence()
    if isinstance(error, Unreadable):
        return unreadable()
    if isinstance(error, aiohttp.ClientError):  # Discord hung up
        return discord_trouble()
    return too_slow() if isinstance(error, TimeoutError) else None


def _of_gallery(error: GalleryError) -> str | None:
    if isinstance(error, EmptyQuery):
        return ask_something()
    if isinstance(error, LinkGone):
        return picture_unavailable()
    if isinstance(error, GalleryClosed):
        return restarting()
    if isinstance(error, PictureError | ModelChanged):
        return said(error.args[0])
    if isinstance(error, UnreadableLine):
        return quoted(said(error.reason), 500)
    return None  # of the model or the store: its text names files of this machine


def _of_discord(error: discord.HTTPException) -> str | None:
    if error.code in (MISSING_ACCESS, MISSING_PERMISSIONS):
        return not_permitted()
    if error.code in (UNKNOWN_CHANNEL, UNKNOWN_MESSAGE):
        return picture_unavailable()
    trouble = error.status >= 500 or error.status == 429 or error.code == ALREADY_ACKNOWLEDGED
    return discord_trouble() if trouble else None


def _of_command(error: app_commands.AppCommandError) -> str | None:
    if isinstance(error, app_commands.NoPrivateMessage):
        return not_in_a_server()
    if isinstance(error, app_commands.MissingPermissions):
        return plural(
            "You need the permission {permissions} for that.",
            "You need the permissions {permissions} for that.",
            len(error.missing_permissions),
        ).format(permissions=permission_names(error.missing_permissions))
    if isinstance(error, app_commands.BotMissingPermissions):
        return plural(
            "I need the permission {permissions} here for that.",
            "I need the permissions {permissions} here for that.",
            len(error.missing_permissions),
        ).format(permissions=permission_names(error.missing_permissions))
    if isinstance(error, app_commands.CommandOnCooldown):
        return plural(
            "That was quick. Please wait {n} second.",
            "That was quick. Please wait {n} seconds.",
            round(error.retry_after),
        )
    if isinstance(error.__cause__, Refusal):  # from an option
        return error.__cause__.sentence()
    if isinstance(error, app_commands.TransformerError):
        return _("I cannot make sense of “{words}” there.").format(words=quoted(str(error.value)))
    if isinstance(error, app_commands.CheckFailure):
        return not_allowed()
    if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        return commands_changed()
    return None


def _referenced(error: BaseException) -> str:
    reference = secrets.token_hex(3)
    log.error(fields("unexpected_error", reference=reference), exc_info=error)
    details = _("The details are in my log under `{reference}`.").format(reference=reference)
    return joined(_what_happened(error), details)


def _what_happened(error: BaseException) -> str:
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, StoreFull):
        return disk_full()
    return file_in_use() if isinstance(error, StoreLocked) else something_wrong()
