"""Tells Discord the commands, only when they changed: it takes 200 new ones a day, no more."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from bot.ops.logs import fields

if TYPE_CHECKING:
    from bot.app import Magpie

log = logging.getLogger(__name__)


async def sync(client: Magpie) -> None:
    """Send the commands, unless the same were sent before and Discord still has them.

    What was sent is remembered in a file beside the gallery. Asking what Discord has costs
    one request, and finds out when an application was made anew.
    """
    commands = client.tree.get_commands()
    payload = json.dumps([command.to_dict(client.tree) for command in commands], sort_keys=True)
    mark = f"{client.application_id} {hashlib.sha256(payload.encode()).hexdigest()}"
    stamp = Path(f"{client.settings.db}.commands")
    if await asyncio.to_thread(_read, stamp) == mark:
        there = {command.name for command in await client.tree.fetch_commands()}
        if there == {command.name for command in commands}:
            return
    await client.tree.sync()
    await asyncio.to_thread(_write, stamp, mark)
    log.info(fields("commands_synced", count=len(commands)))


def _write(stamp: Path, mark: str) -> None:
    stamp.touch(mode=0o600)
    stamp.write_text(mark)


def _read(stamp: Path) -> str:
    return stamp.read_text() if stamp.exists() else ""
