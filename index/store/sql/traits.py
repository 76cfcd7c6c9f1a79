"""The conditions of a filter that only the store can answer, as SQL on rows of links."""

from __future__ import annotations

import os

from index.types.filter import Filter

POSTED_AS = "COALESCE(entry(links.details, 'kind'), '') = '{}'"  # a file of a folder has none
IS_GIF = "lower(links.name) LIKE '%.gif'"
VIDEOS = (
    *("mp4", "m4v", "webm", "mov", "mkv", "avi", "mpg", "mpeg", "3gp", "ogv", "wmv", "flv"),
    *("mts", "m2ts"),
)
IS_VIDEO = " OR ".join(f"lower(links.name) LIKE '%.{end}'" for end in VIDEOS)
# One condition for each kind of `has:` in the query language.
CONDITIONS = {
    "image": f"NOT ({IS_GIF} OR {IS_VIDEO} OR {POSTED_AS.format('sticker')})",
    "video": IS_VIDEO,
    "gif": IS_GIF,
    "sticker": POSTED_AS.format("sticker"),
    "link": POSTED_AS.format("embed"),
    "file": POSTED_AS.format("attachment"),
    "forward": "flag(links.details, 'forwarded') = 1",
    "spoiler": "links.spoiler != 0",
}


def condition(filter: Filter) -> tuple[str, list[object]] | None:
    """The condition for links that have the filter's traits and lie under its folders, with its
    parameters; None where the filter asks for neither.

    Only links of the allowed groups are looked at, so that the time tells nothing of others.
    """
    if not (filter.has or filter.has_not or filter.under or filter.not_under):
        return None
    parts, values = ["links.space = ?"], list[object]([filter.space])
    if filter.groups is not None:
        parts.append("links.group_id IN (numbers(?))")
        values.append(sorted(filter.groups))
    parts += [f"({CONDITIONS[trait]})" for trait in sorted(filter.has)]
    parts += [f"NOT ({CONDITIONS[trait]})" for trait in sorted(filter.has_not)]
    if filter.under:
        parts.append("(" + " OR ".join(_under(folder, values) for folder in filter.under) + ")")
    parts += [f"NOT {_under(folder, values)}" for folder in filter.not_under]
    return " AND ".join(parts), values


def of_space(space: int | None) -> tuple[str, list[object]]:
    """The condition for links of a space, with its parameters; None: for all links. Where a
    parameter might be NULL, SQLite would use no index."""
    return ("1 = 1", []) if space is None else ("links.space = ?", [space])


def _under(folder: str, values: list[object]) -> str:
    """The condition for the folder itself and what lies in it; adds its parameters."""
    inside = folder.rstrip(os.sep) + os.sep
    values += [folder, len(inside), inside]
    return "(links.source = ? OR substr(links.source, 1, ?) = ?)"
