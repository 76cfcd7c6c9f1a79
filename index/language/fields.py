"""The names of fields and of their values, and what else people call them."""

from __future__ import annotations

from collections.abc import Mapping

from index.types.filter import Sort

NAMES = "from:, in:, after:, before:, on:, since:, until:, has:, sort: and show:"
# Each field by the names that it has.
FIELDS: Mapping[str, str] = {
    "from": "from",
    "in": "in",
    "after": "after",
    "before": "before",
    "since": "since",
    "until": "until",
    "on": "on",
    "during": "on",  # what chats call it
    "has": "has",
    "sort": "sort",
    "show": "show",
    # Names of the slash command's options, which people also type in a message.
    "query": "query",
    "image": "image",
    "without": "without",
}
DATES = ("after", "before", "on", "since", "until")
# What people call a field elsewhere; "" for one that chats have and Magpie has not.
MEANT: Mapping[str, str] = {
    "author": "from",
    "by": "from",
    "user": "from",
    "member": "from",
    "channel": "in",
    "date": "on",
    "order": "sort",
    "type": "has",
    "is": "has",
    "exclude": "without",
    "mentions": "",
    "pinned": "",
}
SORTS: Mapping[str, Sort] = {
    "best": Sort.BEST,
    "new": Sort.NEWEST,
    "newest": Sort.NEWEST,
    "old": Sort.OLDEST,
    "oldest": Sort.OLDEST,
}
SHOWN_TO: Mapping[str, str] = {"me": "me", "only me": "me", "everyone": "everyone"}
KINDS: Mapping[str, str] = {
    "image": "image",
    "gif": "gif",
    "video": "video",
    "sticker": "sticker",
    "link": "link",
    "embed": "link",
    "file": "file",
    "spoiler": "spoiler",
    "forward": "forward",
}
# What people call the values elsewhere.
MEANT_VALUES: Mapping[str, Mapping[str, str]] = {
    "sort": {
        "latest": "new", "recent": "new", "date": "new", "desc": "new", "time": "new",
        "first": "old", "asc": "old", "earliest": "old",
        "relevance": "best", "relevant": "best", "score": "best", "top": "best", "match": "best",
    },
    "show": {
        "all": "everyone", "public": "everyone", "here": "everyone", "everybody": "everyone",
        "channel": "everyone", "private": "me", "myself": "me", "self": "me", "only": "me",
    },
    "has": {
        "picture": "image", "photo": "image", "pic": "image", "img": "image", "images": "image",
        "gifs": "gif", "animation": "gif", "animated": "gif", "videos": "video", "clip": "video",
        "stickers": "sticker", "links": "link", "url": "link", "embeds": "link",
        "files": "file", "attachment": "file", "attachments": "file", "upload": "file",
        "spoilers": "spoiler", "forwarded": "forward", "forwards": "forward",
    },
}  # fmt: skip
