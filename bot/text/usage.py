"""What `python -m bot --help` prints, and what is said about other arguments."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

SETTINGS = {
    "DISCORD_TOKEN": "the bot's token; needed",
    "DISCORD_API": "Discord, or another Discord-compatible server",
    "MAGPIE_DB": "the file that holds the gallery",
    "MAGPIE_MODEL": "the CLIP model: its name on the hub, or a folder",
    "MAGPIE_DEVICE": "where the model runs: auto, cpu, cuda or mps",
    "MAGPIE_PRECISION": "how it computes on a CPU: auto, exact, default or fast",
    "MAGPIE_HTTP": "where /healthz and /metrics answer: host:port, or off",
    "MAGPIE_QUESTIONS": "questions a minute for each member; 0 for no limit",
    "MAGPIE_LOG": "how much is logged: debug, info, warning or error",
}
OPTIONS = {
    "--help": "print this",
    "--health": "ask the bot that runs with these settings how it is; the exit status is 0 if well",
}


def usage(program: str, defaults: Mapping[str, str]) -> str:
    """How the bot is called, with its settings and their defaults."""
    lines = [f"usage: {program} [--health]", "", "Find pictures on Discord by what is in them.", ""]
    lines += [f"  {option:<18}{what}" for option, what in OPTIONS.items()]
    lines += ["", "Settings come from the environment and from the file .env:", ""]
    for name, what in SETTINGS.items():
        default = f" [{defaults[name]}]" if defaults[name] else ""
        lines.append(f"  {name:<18}{what}{default}")
    return "\n".join(lines)


def unknown_argument(program: str, argument: str) -> str:
    near = difflib.get_close_matches(argument, OPTIONS, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    return (
        f"{program} takes no argument {argument!r}{hint} Its settings come from the environment "
        f"and from .env; {program} --help lists them."
    )
