"""Times and limits that tests and trials change. The defaults are for use.

They are handed to the parts that need them. A part reads most of them when it needs them, so that a
change takes effect at once. These are read only once, when their part is built or started:
`queue_messages`, `queue_reserve`, `history_at_once`, `live_workers`, `channels_at_once`,
`searching` and `guild_ready_s`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

DAY_S = 86_400.0


def _history_at_once() -> int:
    """A batch of pictures for each core, and one that is downloaded and decoded meanwhile."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return 8 * (cores + 1)


@dataclass(slots=True)
class Clocks:
    """How long the bot waits, in seconds."""

    # The start is complete when all guilds of READY have been announced; or none, for this long.
    guild_ready_s: float = 2.0
    # An interaction must be acknowledged within three seconds. An answer that is ready sooner
    # needs no acknowledgement, which saves a request.
    acknowledge_s: float = 1.0
    # How long the roles count that came with a question. If the answer takes longer, Discord is
    # asked for them before it is sent, since changes of members are not announced to the bot.
    roles_fresh_s: float = 1.0
    # How long it is remembered whose pictures an asker may see, while they type. It is the one part
    # of completing what is typed that takes longer in a large gallery.
    typing_s: float = 10.0
    # How long an answer waits for its question to be saved, so that it can have buttons.
    save_search_s: float = 1.5
    # The first wait before a failed download is tried again; it doubles at each attempt.
    download_retry_s: float = 0.5
    # The wait after Discord failed to give a page of history.
    page_retry_s: float = 30.0
    # The wait after Discord's search was not ready and did not say for how long.
    search_retry_s: float = 5.0
    # The wait after an unforeseen error, before a job for another model goes on.
    model_job_retry_s: float = 600.0
    # The wait after the file could not be written: the disk is full, or another process holds it.
    write_retry_s: float = 15.0
    # How often cursors are saved that only messages without pictures have moved.
    save_cursors_s: float = 300.0
    # The least time between two edits of the progress message of a reindex.
    show_progress_s: float = 5.0
    # How long a server that was left, or a channel that was closed to the bot, is kept: the bot may
    # come back.
    grace_s: float = 7 * DAY_S
    # How long after an invitation a server is greeted that invited Magpie while it was away.
    newcomer_s: float = 7 * DAY_S
    # How often old pictures, closed channels and departed servers are looked for.
    expire_s: float = 3_600.0
    # The wait between two pages of the relisting; Discord allows one page a second.
    relist_s: float = 20.0
    # The file is rewritten at most once in this time, and a large file less often: with 10 s more
    # for each megabyte, at most 0.1 MB/s are written.
    vacuum_s: float = 60.0
    vacuum_s_per_mb: float = 10.0
    # How long new pictures are left alone before their words are read: they are written first.
    transcribe_s: float = 5.0
    # How soon it is tried again to read the words in pictures that could not be had.
    transcribe_again_s: float = 3_600.0
    # New pictures are gathered for so long before their notices leave. All leave at the same
    # moments, so that the time of one tells nothing of the pictures that others were told of.
    notices_s: float = 10.0
    # A picture that was posted longer ago is not new, though Magpie was away meanwhile.
    new_s: float = 6 * 3_600.0
    # The wait before it is tried again to judge what could not be judged, or to send a notice.
    watch_again_s: float = 60.0
    # How long it is waited for another process that serves the same servers of a database: one that
    # was killed, or whose machine is gone, is noticed by the database server a while later.
    claim_s: float = 40.0
    # How often freed memory is given back to the system.
    trim_memory_s: float = 60.0


@dataclass(slots=True)
class Limits:
    """How much the bot keeps or does at once."""

    # Messages that wait for their pictures to be indexed: some minutes of a busy server.
    queue_messages: int = 256
    # Places in the queue that are kept for servers that have nothing waiting.
    queue_reserve: int = 64
    live_workers: int = 4
    # Messages of history whose pictures are on their way at once. They are enough to download while
    # others are embedded, and to fill a batch of each core. They are few enough that live pictures
    # don't wait long.
    history_at_once: int = field(default_factory=_history_at_once)
    # Channels whose history is read at once. Discord allows about one page a second and channel,
    # and 50 requests a second overall.
    channels_at_once: int = 3
    # Whether Discord's search is asked for the pictures of old messages before they are read.
    searching: bool = True
    # Messages in a page of history; 100 is the most that Discord gives.
    page_messages: int = 100
    # Bytes of new pictures that wait in memory until their words are read. Those that don't fit
    # are downloaded again.
    transcribe_bytes: int = 64 * 2**20
    # Keys that a member may type into a command in a minute and get choices; 0: any number.
    keys_a_minute: int = 120
    # Watches of a member on a server, and of a server.
    watches_of_member: int = 10
    watches_of_server: int = 500
    # Messages with notices that a member gets in a day from a server; what comes then waits.
    notices_a_day: int = 20
    # Pictures in one file of an export: with 512 numbers each, some 7 MB; Discord takes 10.
    export_pictures: int = 3_500
