"""Saved searches, as stores keep them."""

from __future__ import annotations

import json

import numpy as np

from index import Asked, Filter, QueryEmbedding, Sort
from index.store.sql.columns import query_blob, query_of
from index.types.searches import ShownBy
from tests.index.search.oracle import unit


def test_a_saved_search_keeps_all_that_was_asked() -> None:
    asked = Asked(
        "dog",
        with_picture=True,
        like=7,
        shown_by=ShownBy(2, "9", 1, 3),
        public=True,
        filter=Filter(
            1,
            owners=frozenset({3, 4}),
            but_owners=frozenset({5}),
            since=1.0,
            until=2.0,
            has=frozenset({"gif"}),
            has_not=frozenset({"spoiler"}),
            under=("/b", "/a"),
            not_under=("/b/c",),
        ),
        minus=("snow", "red car"),
        more=(11, 12),
        less=(13,),
        sort=Sort.NEWEST,
        line="dog -snow",
        understood=(("without snow", "snow"),),
    )
    kept = Asked.from_json(json.loads(json.dumps(asked.to_json())))
    assert kept.filter is not None
    assert set(kept.filter.under) == {"/a", "/b"}
    assert asked.to_json() == kept.to_json()
    assert (kept.minus, kept.more, kept.less) == (asked.minus, asked.more, asked.less)
    assert (kept.sort, kept.line, kept.understood) == (
        asked.sort,
        asked.line,
        asked.understood,
    )
    assert kept.filter.owners == frozenset({3, 4})
    assert kept.filter.has_not == frozenset({"spoiler"})


def test_what_depends_on_the_moment_is_not_kept() -> None:
    """Who may see what is looked up again when the search is run."""
    filter = Filter(1, frozenset({2}), only=frozenset({3}), without=frozenset({4}))
    assert Filter.from_json(json.loads(json.dumps(filter.to_json()))) == Filter(1)


def test_filters_of_an_earlier_magpie_are_read() -> None:
    earlier = {"space": 1, "kind": "image", "owner": 5, "since": None, "until": 3.0}
    assert Filter.from_json(earlier) == Filter(1, owners=frozenset({5}), until=3.0)
    assert Filter.from_json({**earlier, "owner": None}) == Filter(1, until=3.0)


def test_the_vectors_of_a_saved_search_are_those_that_were_asked_with() -> None:
    vectors = unit(np.random.default_rng(1), 7)
    for embedding in (
        QueryEmbedding(words=vectors[0], minus=vectors[2:4], parts=vectors[4:6], spelled=True),
        QueryEmbedding(picture=vectors[1], truncated="dog"),
        QueryEmbedding(words=vectors[0], picture=vectors[1]),
        QueryEmbedding(),
    ):
        again = query_of(*query_blob(embedding), embedding.truncated)
        for name in ("words", "picture", "minus", "parts"):
            before, after = getattr(embedding, name), getattr(again, name)
            assert (before is None) == (after is None)
            assert before is None or np.array_equal(before, after)
        assert (again.spelled, again.truncated) == (embedding.spelled, embedding.truncated)
    earlier = query_of(vectors[0].tobytes(), None, None)
    assert earlier.words is not None
    assert np.array_equal(earlier.words, vectors[0])
    assert earlier.picture is None
