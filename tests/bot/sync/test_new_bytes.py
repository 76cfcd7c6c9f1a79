"""The bytes of new pictures are held for a while, within bounds."""

from __future__ import annotations

from bot.sync.new_bytes import NewBytes

HERE, THERE = (1, 2), (1, 3)


async def test_the_bytes_of_new_pictures_are_bounded() -> None:
    held = NewBytes(most_bytes=100)
    for number in range(9):
        held.keep(b"%d" % number, bytes(30), HERE)
    assert held.pictures() == [b"6", b"7", b"8"]
    assert held.take(b"5") is None
    held.keep(b"8", bytes(40), HERE)  # the same picture again
    assert len(held) == 3
    kept = held.take(b"8")
    assert kept is not None
    assert kept.data == bytes(40)
    held.keep(b"huge", bytes(101), HERE)
    assert held.take(b"huge") is None
    held.drop_older(0.0)
    assert len(held) == 0


async def test_it_is_known_in_which_channels_a_picture_was_seen() -> None:
    held = NewBytes(most_bytes=100)
    for place in (HERE, THERE, HERE):
        held.keep(b"key", b"data", place)
    kept = held.take(b"key")
    assert kept is not None
    assert kept.seen_in == {HERE, THERE}
