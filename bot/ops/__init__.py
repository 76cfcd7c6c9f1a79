"""Settings, logs, metrics, health: what whoever runs the bot meets."""
