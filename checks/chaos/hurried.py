"""`python -m checks.chaos.hurried`: the bot with its long waits shortened.

The bot tries again after half a minute, lists channels every twenty seconds, and merges rows once
there are thousands. With shorter waits and fewer rows, all of this happens within a short run.
Nothing else differs.

With CHAOS_LISTING=off in the environment, channels are never listed. Then only what Discord
announces tells the bot what was deleted.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace

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
UNLISTED = replace(CLOCKS, relist_s=86_400.0)
SIZES = Sizes(settle_rows=96, held_rows=4 * 96, retry_s=2.0)

if __name__ == "__main__":
    listing = os.environ.get("CHAOS_LISTING") != "off"
    sys.exit(main([], clocks=CLOCKS if listing else UNLISTED, sizes=SIZES))
