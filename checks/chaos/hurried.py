"""`python -m checks.chaos.hurried`: the bot, with its long waits made short.

What is tried again after half a minute, listed again every twenty seconds or settled once there
are thousands of rows, happens within a short run as well. Nothing else differs.
"""

from __future__ import annotations

import functools
import sys

from bot.__main__ import main
from bot.maintenance import maintenance as upkeep
from bot.reindex import run as rereading
from bot.sync import backfill
from bot.sync import writer as ledger
from index import Gallery, Sizes

SIZES = Sizes(settle_rows=96, held_rows=4 * 96, retry_s=2.0)


def hurry() -> None:
    backfill.RETRY_S = 2.0
    ledger.RETRY_S = 1.0
    rereading.RETRY_S = 2.0
    upkeep.LIST_EVERY_S = 0.5
    upkeep.COMPACT_EVERY_S = 5.0
    upkeep.COMPACT_S_A_MB = 1.0
    upkeep.EXPIRE_EVERY_S = 5.0
    Gallery.open = functools.partial(Gallery.open, sizes=SIZES)  # type: ignore[method-assign]


if __name__ == "__main__":
    hurry()
    sys.exit(main())
