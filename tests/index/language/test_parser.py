"""A line is read as it is meant, or refused with its spot and the corrected line."""

from __future__ import annotations

import pytest

from index import Sort, Wish, combined
from tests.index.language.readers import read, refused


@pytest.mark.parametrize(
    ("line", "wish"),
    [
        ("", Wish()),
        ("dog in snow", Wish("dog in snow")),
        ("  dog\n in\u200b snow ", Wish("dog in snow")),
        ("dog -snow", Wish("dog", minus=("snow",))),
        ('-"red car" beach', Wish("beach", minus=("red car",))),
        ("-snow,rain dog -ice,", Wish("dog", minus=("snow", "rain", "ice"))),
        ("–snow —rain −ice --fog", Wish(minus=("snow", "rain", "ice", "fog"))),
        ("-🐕 犬 -:cat:", Wish("犬", minus=("🐕", ":cat:"))),
        ('dog "keep out" sign', Wish("dog sign", exact=("keep out",))),
        ("„eins“ “two” «trois» 「四」 『五』 ＂six＂ \"seven”",
         Wish(exact=("eins", "two", "trois", "四", "五", "six", "seven"))),
        ("写真「赤い車」犬", Wish("写真 犬", exact=("赤い車",))),
        ("שלום -כלב", Wish("שלום", minus=("כלב",))),
        ("from:@ana in:#pets dog", Wish("dog", authors=("@ana",), places=("#pets",))),
        ("-from:@ana –in:#x", Wish(not_authors=("@ana",), not_places=("#x",))),
        ("from:<@1> from:<@!2> in:<#3>", Wish(authors=("<@1>", "<@!2>"), places=("<#3>",))),
        ('from:"Ana Maria",@ben, @cy dog', Wish("dog", authors=("Ana Maria", "@ben", "@cy"))),
        ("from: @ana", Wish(authors=("@ana",))),
        ("From : @ana", Wish(authors=("@ana",))),
        ("in：#pets", Wish(places=("#pets",))),
        (r"in:C:\Pictures\2024", Wish(places=(r"C:\Pictures\2024",))),
        ("has:gif,sticker -has:spoiler", Wish(has=frozenset({"gif", "sticker"}),
                                             not_has=frozenset({"spoiler"}))),
        ("has:embed", Wish(has=frozenset({"link"}))),
        ("sort:newest", Wish(sort=Sort.NEWEST)),
        ("sort:old sort:old", Wish(sort=Sort.OLDEST)),
        ("show:everyone dog in snow", Wish("dog in snow", show="everyone")),
        ("show:only me dog", Wish("dog", show="me")),
        ("query:dog in snow", Wish("dog in snow")),
        ('query: "keep out"', Wish(exact=("keep out",))),
        ("without:snow,rain dog", Wish("dog", minus=("snow", "rain"))),
    ],
)  # fmt: skip
def test_parts_end_up_where_they_belong(line: str, wish: Wish) -> None:
    assert read(line) == wish


@pytest.mark.parametrize(
    "line",
    [
        "re:zero", "12:30", ":cat:", "https://a.example/b?c=d:e", "snow:white", "alter:ego",
        "t-shirt", "half-life", "-5", "-5°C", "-10%", "->", "-_-", ":-)", "dog – beach",
        '6" pizza', "@ana", "form: a new shape", "short:hair", "is:this", "C:\\x",
    ],
)  # fmt: skip
def test_words_stay_words(line: str) -> None:
    assert read(line) == Wish(line)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (r"\-dog", "-dog"),
        (r"\"dog", '"dog'),
        (r"\from:here", "from:here"),
        (r"\no dogs", "no dogs"),
        (r"犬\「", "犬「"),
        (r"\\x", r"\x"),
    ],
)
def test_a_backslash_makes_a_word(line: str, words: str) -> None:
    assert read(line) == Wish(words)


@pytest.mark.parametrize(
    ("line", "spot", "corrected"),
    [
        ("form:@ana dog", "form", "from:@ana dog"),
        ("dog befor:2024", "befor", "dog before:2024"),
        ("aftr: last week dog", "aftr", "after: last week dog"),
        ("srot:new", "srot", "sort:new"),
        ("author:@ana", "author", "from:@ana"),
        ("channel:#pets dog", "channel", "in:#pets dog"),
        ("pinned:true dog", "pinned:true", "dog"),
        ('dog "red car', '"', 'dog "red car"'),
        ("dog “red", "“", "dog “red”"),
        ('dog ""', '""', "dog"),
        ("dog - snow", "-", "dog -snow"),
        ("-", "-", ""),
        ("from: has:gif", "from:", "has:gif"),
        ("dog in:", "in:", "dog"),
        ("has:pictures", "pictures", "has:image"),
        ("has:gif,zzz", "zzz", "has:gif"),
        ("has:-gif dog", "has:-gif", "-has:gif dog"),
        ("has:gif -has:gif", "gif", "has:gif"),
        ("has:gif,video dog", "video", "has:gif dog"),
        ("has:sticker has:file,spoiler", "file", "has:sticker has:spoiler"),
        ("sort:latest", "latest", "sort:new"),
        ("sort:nwe dog", "nwe", "sort:new dog"),
        ("has:gfi dog", "gfi", "has:gif dog"),
        ("sort:new dog sort:old", "sort:old", "dog sort:old"),
        ("show:all dog", "all", "show:everyone dog"),
        ("show:me show:everyone", "show:everyone", "show:everyone"),
        ("-sort:new", "-sort:new", "sort:new"),
        ("-@ana dog", "-@ana", "-from:@ana dog"),
        ("-#pets", "-#pets", "-in:#pets"),
        ("image:https://a.example/b.png dog", "image:https://a.example/b.png", "dog"),
        ('-"without snow" dog', '-"without snow"', '-"snow" dog'),
        ("form:@ana sort:latest has:", "form", "from:@ana sort:new"),  # all faults are mended
    ],
)
def test_a_fault_is_pointed_at_and_corrected(line: str, spot: str, corrected: str) -> None:
    refusal = refused(line)
    assert refusal.text[refusal.start : refusal.end] == spot
    assert refusal.corrected == corrected
    assert refusal.reason == str(refusal)


def test_a_line_of_nothing_but_faults_is_refused_soon() -> None:
    refusal = refused("from: " * 500)
    assert (refusal.start, refusal.end) == (0, 5)


def test_options_are_read_as_parts_of_the_line() -> None:
    options = {"from": ["@ana", "Ana Maria"], "after": "last year", "without": "snow, red car",
               "sort": "new", "in": None}  # fmt: skip
    wish = read(combined('dog -cat "x"', options))
    assert wish == Wish(
        "dog", minus=("snow", "red car", "cat"), exact=("x",), authors=("@ana", "Ana Maria"),
        since=wish.since, sort=Sort.NEWEST,
    )  # fmt: skip
    assert wish.since == 1767225600  # 2026 begins


def test_an_option_is_not_mixed_up_with_a_text_that_is_broken() -> None:
    assert refused(combined('dog "red', {"in": 'a "b" \\'})).corrected.endswith('dog "red"')
    assert read(combined("", {"in": 'a "b" \\'})).places == ('a "b" \\',)
    assert refused(combined("sort:old", {"sort": "new"})).corrected == "sort:old"
