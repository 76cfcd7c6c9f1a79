"""`python -m checks.chaos.hurried`: the bot with its long waits shortened.

The bot tries again after half a minute, lists channels every twenty seconds, and merges rows once
there are thousands. With shorter waits and fewer rows, all of this happens within a short run.
Nothing else differs.
"""

from __future__ import annotations

import functools
import sys

from bot.__main__ import main
from bot.ops.tuning import Clocks
from index.search import engine
from index.search import rows as search

SETTLE_ROWS = 96
HURRIED = Clocks(
    page_retry_s=2.0,
    write_retry_s=1.0,
    relist_s=0.5,
    compact_s=5.0,
    compact_s_per_mb=1.0,
    expire_s=5.0,
)


def hurry() -> None:
    engine.SETTLE_AGAIN_S = 2.0
    engine.HELD_ROWS = 4 * SETTLE_ROWS
    rows = functools.partial(search.Rows, settle=SETTLE_ROWS)
    vars(engine)["Rows"] = rows  # it is only ever called


if __name__ == "__main__":
    hurry()
    sys.exit(main(HURRIED))
