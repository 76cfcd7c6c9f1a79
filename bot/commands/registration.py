"""Sends the commands to Discord if they have changed; Discord takes only 200 new ones a day."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from pathlib import Path

from bot.ops.logs import fields
from bot.platform.interactions import Tree
from bot.platform.unreadable import Unreadable, readable

log = logging.getLogger(__name__)


async def sync(tree: Tree, stamp: Path) -> None:
    """Send the commands with their names in all languages, unless the same were sent before and
    Discord still has them.

    One request asks which commands Discord has. They are missing if the application was created
    again.

    stamp   the file that remembers what was sent
    """
    commands, translator = tree.get_commands(), tree.translator
    assert translator is not None
    payloads = [await command.get_translated_payload(tree, translator) for command in commands]
    payload = json.dumps(payloads, sort_keys=True)
    sent = f"{tree.client.application_id} {hashlib.sha256(payload.encode()).hexdigest()}"
    names = {command.name for command in commands}
    if await asyncio.to_thread(_read, stamp) == sent and await _names(tree) == names:
        return
    try:
        await readable(tree.sync())
    except Unreadable as error:  # the server has taken them, and answered in a form of its own
        log.warning(fields("commands_answer_unread", why=error))
    await asyncio.to_thread(_write, stamp, sent)
    log.info(fields("commands_synced", count=len(commands)))


async def _names(tree: Tree) -> set[str]:
    """The names of the commands that Discord has; none if the answer can't be read."""
    try:
        return {command.name for command in await readable(tree.fetch_commands())}
    except Unreadable:
        return set()


def _write(stamp: Path, sent: str) -> None:
    stamp.touch(mode=0o600)
    stamp.write_text(sent)


def _read(stamp: Path) -> str:
    return stamp.read_text() if stamp.exists() else ""
