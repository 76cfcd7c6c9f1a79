"""What `python -m bot --help` prints, and what is said beside a wrong argument."""

from __future__ import annotations

from collections.abc import Mapping

SETTINGS = {
    "DISCORD_TOKEN": "the bot's token; needed",
    "DISCORD_API": "Discord, or another Discord-compatible server",
    "MAGPIE_DB": "the file that holds the gallery, or the address of a database",
    "MAGPIE_MODEL": "the model: a name that `magpie models` lists, another of the hub, or a folder",
    "MAGPIE_DEVICE": "where the model runs: auto, cpu, cuda or mps",
    "MAGPIE_PRECISION": "how it computes on a CPU: auto, exact, default or fast",
    "MAGPIE_OCR": "whether the words in pictures are read: auto, on or off",
    "MAGPIE_WORKERS": "the PostgreSQL database through which workers embed; empty: the bot does",
    "MAGPIE_SHARDS": "which of Discord's shards this process serves, such as 2/16; empty: all",
    "MAGPIE_HTTP": "where /healthz and /metrics answer: host:port, or off",
    "MAGPIE_QUESTIONS": "questions a minute for each member; 0 for no limit",
    "MAGPIE_VIDEO_MB": "megabytes that are read of a video at most",
    "MAGPIE_VIDEO_SECONDS": "how long one is read at most",
    "MAGPIE_LOG": "how much is logged: debug, info, warning or error",
}
WHAT = "Find pictures on Discord by what is in them."
WORKER = "embed pictures for the bots that use the database MAGPIE_WORKERS; needs no token"
HEALTH = "ask the bot that runs with these settings how it is; the exit status is 0 if well"


def settings_and_defaults(defaults: Mapping[str, str]) -> str:
    """The settings with their defaults, a line each, below what they are."""
    lines = ["Settings come from the environment and from the file .env:", "", "\b"]
    for name, what in SETTINGS.items():
        default = f" [{defaults[name]}]" if defaults[name] else ""
        lines.append(f"{name:<22}{what}{default}")
    return "\n".join(lines)


def settings_are_elsewhere(program: str) -> str:
    """For somebody who looks for a setting among the options."""
    return f"Settings come from the environment and from .env; {program} --help lists them."
