"""Settings, logs, metrics and health: the operator's side of the bot."""
