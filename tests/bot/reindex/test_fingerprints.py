"""Pictures that an earlier Magpie added get their fingerprints when a reindex reads them again."""

from __future__ import annotations

from bot.app import Magpie
from index.copies.fingerprint import REVISION
from index.types.derivations import FINGERPRINT
from sandbox.person import Person
from tests.bot.reindex.jobs import begin, read_all, stands
from tests.worlds import WorldFile


async def test_a_reindex_makes_the_fingerprints_that_are_missing(
    magpie: Magpie, world_file: WorldFile, ada: Person
) -> None:
    everything = await read_all(magpie, world_file)
    derivations = magpie.gallery.derivations
    assert await derivations.count_pending(FINGERPRINT) == 0
    await derivations.drop(FINGERPRINT)
    await derivations.begin(FINGERPRINT, REVISION, {})
    assert await derivations.count_pending(FINGERPRINT) == len(everything)
    await begin(ada)
    done = await stands(magpie, "done")
    assert await derivations.count_pending(FINGERPRINT) == 0
    assert done.state["added"] == 0
