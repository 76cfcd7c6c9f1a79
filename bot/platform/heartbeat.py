"""How long Discord takes to answer a heartbeat of the gateway."""

from __future__ import annotations

import discord


def latency_s(client: discord.AutoShardedClient) -> float | None:
    """Seconds between a heartbeat and its answer, the mean of all shards; None if not known.

    discord.py notes the time of a heartbeat when a thread has woken up after sending it. A near
    server answers before that. Its answer is then measured from the heartbeat before, and the
    figure is a whole interval, 41.25 s. A true figure is shorter than the interval, since the next
    heartbeat is sent by then.
    """
    measured = [latency for id, latency in client.latencies if latency < _interval_s(client, id)]
    return sum(measured) / len(measured) if measured else None


def _interval_s(client: discord.AutoShardedClient, shard_id: int) -> float:
    """Seconds between two heartbeats; 0 before the first one."""
    keep_alive = client._get_websocket(shard_id=shard_id)._keep_alive
    interval_s = keep_alive.interval if keep_alive is not None else None
    return interval_s or 0.0
