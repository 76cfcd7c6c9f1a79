"""Regular work: expiry, closed channels, deletions that were missed, vacuuming."""
