"""The tables of jobs.

`jobs` holds bytes of pictures for seconds, so it is UNLOGGED: they never get into the log that
PostgreSQL writes, nor into its backups and replicas. After a crash PostgreSQL empties such a table;
the askers then put again what they still wait for.
"""

from __future__ import annotations

MAX_TRIES = 3
# How long what was given up is listed.
KEPT_DAYS = 30

WORK = "magpie_work"  # the channel on which workers hear of jobs
AGAIN = "magpie_again"  # on which bots hear of what is to be tried again
DROPPED = "dropped"  # to workers: a job was taken back

MIGRATING = 0x6D61_6770_0001  # the advisory lock under which the tables are made

TABLES = """
CREATE TABLE IF NOT EXISTS magpie_askers (
    id uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL
);
CREATE UNLOGGED TABLE IF NOT EXISTS magpie_jobs (
    id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY,
    asker uuid NOT NULL,
    priority smallint NOT NULL,
    needs text[] NOT NULL,
    data bytea,
    space bigint NOT NULL,
    group_id bigint NOT NULL,
    parent bigint,
    source text NOT NULL,
    slot text NOT NULL,
    owner bigint NOT NULL,
    posted_at double precision NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    worker text,
    free_at timestamptz NOT NULL DEFAULT now(),
    tries smallint NOT NULL DEFAULT 0,
    reason text,
    answer bytea,
    given_up boolean NOT NULL DEFAULT false
);
ALTER TABLE magpie_jobs ALTER data SET STORAGE EXTERNAL, ALTER answer SET STORAGE EXTERNAL;
ALTER TABLE magpie_jobs SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200,
    toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 200
);
CREATE INDEX IF NOT EXISTS magpie_jobs_open ON magpie_jobs (priority, number)
    WHERE answer IS NULL AND NOT given_up;
CREATE INDEX IF NOT EXISTS magpie_jobs_asker ON magpie_jobs (asker);
CREATE TABLE IF NOT EXISTS magpie_dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    needs text[] NOT NULL,
    space bigint NOT NULL,
    group_id bigint NOT NULL,
    parent bigint,
    source text NOT NULL,
    slot text NOT NULL,
    owner bigint NOT NULL,
    posted_at double precision NOT NULL,
    bytes bigint NOT NULL,
    tries smallint NOT NULL,
    reason text NOT NULL,
    given_up_at timestamptz NOT NULL DEFAULT now(),
    again boolean NOT NULL DEFAULT false,
    UNIQUE (space, group_id, source, slot, needs)
);
"""

# ---- what an asker does

SEEN = """
INSERT INTO magpie_askers (id, seen_at) VALUES ($1, now())
ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
"""
PUT = """
INSERT INTO magpie_jobs
    (id, asker, priority, needs, data, space, group_id, parent, source, slot, owner, posted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO NOTHING
"""
COLLECT = """
DELETE FROM magpie_jobs WHERE asker = $1 AND (answer IS NOT NULL OR given_up)
RETURNING id, answer, reason, tries
"""
DROP = "DELETE FROM magpie_jobs WHERE id = ANY($1::uuid[])"
MINE = "SELECT id FROM magpie_jobs WHERE asker = $1"
LEAVE = "DELETE FROM magpie_jobs WHERE asker = $1"
LEFT = "DELETE FROM magpie_askers WHERE id = $1"

# ---- what a worker does. A job is open while it has no answer and wasn't given up.

# A job that was tried before is tried alone: if it ends this worker too, it takes no other with it.
# What the worker has in hand doesn't count, though its lease may have ended on a busy machine.
TRIED = """
SELECT EXISTS (
    SELECT 1 FROM magpie_jobs
    WHERE answer IS NULL AND NOT given_up AND tries BETWEEN 1 AND $3 - 1
        AND free_at <= now() AND needs <@ $1::text[] AND id <> ALL($2::uuid[])
)
"""
LEASE = """
WITH next AS MATERIALIZED (
    SELECT id FROM magpie_jobs
    WHERE answer IS NULL AND NOT given_up AND tries BETWEEN $5 AND $6
        AND free_at <= now() AND needs <@ $1::text[]
    ORDER BY priority, number LIMIT $4 FOR UPDATE SKIP LOCKED
)
UPDATE magpie_jobs SET
    worker = $2, free_at = now() + $3 * interval '1 second', tries = tries + 1,
    reason = 'worker ' || $2 || ' ended, or lost its connection, while it had this picture'
FROM next WHERE magpie_jobs.id = next.id
RETURNING magpie_jobs.id, needs, data, tries
"""
RENEW = """
UPDATE magpie_jobs SET free_at = now() + $3 * interval '1 second'
WHERE id = ANY($1::uuid[]) AND worker = $2 AND answer IS NULL AND NOT given_up
RETURNING id
"""
STILL_MINE = """
SELECT id FROM magpie_jobs
WHERE id = ANY($1::uuid[]) AND worker = $2 AND answer IS NULL AND NOT given_up
"""
ANSWER = """
UPDATE magpie_jobs SET answer = $3, data = NULL, worker = NULL, reason = NULL
WHERE id = $1 AND worker = $2 AND answer IS NULL AND NOT given_up
RETURNING asker
"""
FAILED = """
UPDATE magpie_jobs SET worker = NULL, reason = $3, free_at = now() + $4 * interval '1 second'
WHERE id = $1 AND worker = $2 AND answer IS NULL AND NOT given_up
"""
# A try that says nothing of the picture isn't counted.
GIVE_BACK = """
UPDATE magpie_jobs SET worker = NULL, reason = NULL, tries = tries - 1, free_at = now()
WHERE id = ANY($1::uuid[]) AND worker = $2 AND answer IS NULL AND NOT given_up
"""

# ---- what either does now and then

GIVE_UP = """
WITH given_up AS (
    UPDATE magpie_jobs SET given_up = true, data = NULL, worker = NULL
    FROM (
        SELECT id, octet_length(data) AS bytes FROM magpie_jobs
        WHERE answer IS NULL AND NOT given_up AND tries >= $1 AND free_at <= now()
        FOR UPDATE SKIP LOCKED
    ) AS tried
    WHERE magpie_jobs.id = tried.id
    RETURNING magpie_jobs.*, tried.bytes
), listed AS (
    INSERT INTO magpie_dead_letters
        (needs, space, group_id, parent, source, slot, owner, posted_at, bytes, tries, reason)
    SELECT needs, space, group_id, parent, source, slot, owner, posted_at, max(bytes),
        max(tries), max(reason)
    FROM given_up
    GROUP BY needs, space, group_id, parent, source, slot, owner, posted_at
    ON CONFLICT (space, group_id, source, slot, needs) DO UPDATE SET
        tries = excluded.tries, reason = excluded.reason, given_up_at = now(), again = false
)
SELECT id, asker, tries, reason FROM given_up
"""
FORGET_ASKERS = """
DELETE FROM magpie_askers WHERE seen_at < now() - $1 * interval '1 second'
"""
FORGET_JOBS = """
DELETE FROM magpie_jobs
WHERE NOT EXISTS (SELECT 1 FROM magpie_askers WHERE magpie_askers.id = magpie_jobs.asker)
"""
FORGET_LETTERS = f"""
DELETE FROM magpie_dead_letters WHERE given_up_at < now() - interval '{KEPT_DAYS} days'
"""
# Deleted rows leave their bytes in the table's file until others are written over them. While the
# table is empty, a new file takes the place of that one.
STALE = """
SELECT pg_table_size('magpie_jobs') > 65536 AND NOT EXISTS (SELECT 1 FROM magpie_jobs)
"""
ALONE = "LOCK TABLE magpie_jobs IN ACCESS EXCLUSIVE MODE NOWAIT"
ANY_LEFT = "SELECT EXISTS (SELECT 1 FROM magpie_jobs)"
EMPTY = "TRUNCATE magpie_jobs"

STATE = """
SELECT
    count(*) FILTER (WHERE worker IS NULL) AS waiting,
    count(*) FILTER (WHERE worker IS NOT NULL) AS leased,
    COALESCE(extract(epoch FROM now() - min(asked_at)), 0)::double precision AS oldest_s,
    (SELECT count(*) FROM magpie_dead_letters) AS dead
FROM magpie_jobs WHERE answer IS NULL AND NOT given_up
"""


def channel_of(asker: object) -> str:
    """The channel on which an asker hears of its answers."""
    return f"magpie_{str(asker).replace('-', '')}"
