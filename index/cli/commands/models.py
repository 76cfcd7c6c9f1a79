"""`models`: the models worth choosing, and what each costs and finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from console.commands import Called, Command, flag
from console.exits import DONE
from console.output import say, say_json
from index.embed.published import DEFAULT, HEADINGS, MODELS, RECOMMENDED, SOURCES, cells

FIRST_LINES = (
    f"{RECOMMENDED} is what most servers should take; {DEFAULT} is the default.",
    "Choose one with --model NAME, or with MAGPIE_MODEL=NAME for the bot.",
)
LAST_LINES = (
    "memory    of the loaded model; it needs as much as its download, free, while it is read",
    "speed     of one core with bfloat16 (AMD Zen 4); processor time",
    "recall    English, German, Japanese: how often a caption finds its picture, in percent, as",
    "          published (Crossmodal-3600, mean of the first 1, 5 and 10); –: none is known",
    "          docs/models.md names the sources, and says more of each model",
)


@dataclass(frozen=True, kw_only=True)
class Models(Called):
    """What `models` is given; see its help."""

    json: bool


def run(given: Models) -> int:
    """Print the models worth choosing."""
    if given.json:
        say_json(
            [
                {
                    **asdict(model),
                    "download_bytes": model.download_bytes,
                    "source": SOURCES[model.source] if model.source else None,
                    "default": model.name == DEFAULT,
                    "recommended": model.name == RECOMMENDED,
                }
                for model in MODELS
            ]
        )
        return DONE
    rows = [HEADINGS, *map(cells, MODELS)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for line in (*FIRST_LINES, ""):
        say(line)
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    say("")
    for line in LAST_LINES:
        say(line)
    return DONE


COMMAND = Command(
    "models",
    run,
    Models,
    summary="name the models worth choosing",
    help="Name the models worth choosing: size, memory, speed, languages, licence and recall.",
    params=[flag("--json", help="for programs")],
)
