"""Where the pictures of folders are in a gallery: all in one group."""

from index.types.records import Group

SPACE = 0
GROUP = Group(0)
