"""What is done now and then: expiry, closed channels, deletions that were missed, compaction."""
