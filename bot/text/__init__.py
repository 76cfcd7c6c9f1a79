"""All sentences that members read, by subject."""
