"""`python -m checks.chaos.hurried`: the bot with its long waits shortened.

The bot tries again after half a minute, lists channels every twenty seconds, and merges rows once
there are thousands. With shorter waits and fewer rows, all of this happens within a short run.
Nothing else differs.
"""

from __future__ import annotations

import sys

from bot.__main__ import main
from bot.ops.tuning import Clocks
from index import Sizes

CLOCKS = Clocks(
    page_retry_s=2.0,
    write_retry_s=1.0,
    relist_s=0.5,
    vacuum_s=5.0,
    vacuum_s_per_mb=1.0,
    expire_s=5.0,
)
SIZES = Sizes(settle_rows=96, held_rows=4 * 96, retry_s=2.0)

if __name__ == "__main__":
    sys.exit(main([], clocks=CLOCKS, sizes=SIZES))
