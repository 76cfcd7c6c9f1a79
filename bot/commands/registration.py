"""Sends the commands to Discord if they have changed; Discord takes only 200 new ones a day."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from pathlib import Path

from bot.ops.logs import fields
from bot.platform.interactions import Tree

log = logging.getLogger(__name__)


async def sync(tree: Tree, stamp: Path) -> None:
    """Send the commands, unless the same were sent before and Discord still has them.

    One request asks which commands Discord has. They are missing if the application was created
    again.

    stamp   the file that remembers what was sent
    """
    commands = tree.get_commands()
    payload = json.dumps([command.to_dict(tree) for command in commands], sort_keys=True)
    sent = f"{tree.client.application_id} {hashlib.sha256(payload.encode()).hexdigest()}"
    if await asyncio.to_thread(_read, stamp) == sent:
        there = {command.name for command in await tree.fetch_commands()}
        if there == {command.name for command in commands}:
            return
    await tree.sync()
    await asyncio.to_thread(_write, stamp, sent)
    log.info(fields("commands_synced", count=len(commands)))


def _write(stamp: Path, sent: str) -> None:
    stamp.touch(mode=0o600)
    stamp.write_text(sent)


def _read(stamp: Path) -> str:
    return stamp.read_text() if stamp.exists() else ""
