"""Traits of links, which a filter may ask for: what was posted, and how.

The words are those of `has:` in the query language. A caller tells in a link's details how it was
posted: "kind", and "forwarded".
"""

from __future__ import annotations

TRAITS = ("image", "gif", "video", "sticker", "link", "file", "forward", "spoiler")
