"""Another model takes over: watches are read anew by it, as far as that can be."""

from __future__ import annotations

from bot.text import watches as text
from bot.watches import reasons
from tests.bot.running import png, until
from tests.bot.watches.conftest import Watched, links


async def test_words_are_read_anew_and_a_picture_is_asked_for(watched: Watched) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn, "red in:#pets")
    await finn.command("watch", "add", image=("red.png", png("#c81e1e")))
    gallery = watched.scene.magpie.gallery
    await gallery.bookkeeping._database.execute("UPDATE watches SET revision = 'another'")
    posted = await watched.post(ada, "pets")

    async def is_read() -> bool:
        words, picture = await gallery.watches.of_owner(
            watched.scene.nest.world.guild_id, int(finn.user["id"])
        )
        return words.revision != "another" and picture.paused == reasons.OTHER_MODEL

    await until(is_read)
    await watched.settled()
    assert watched.told(finn) == [posted["id"]]
    (stopped,) = [one for one in finn.direct_messages() if not links(one)]
    assert text.other_model() in stopped.text()
    listed = await finn.command("watch", "list")
    assert text.other_model() in listed.text()
    stays = await finn.click(listed, listed.button(text.go_on()))
    assert text.other_model() in stays.text()
