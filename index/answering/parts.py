"""The wishes that words consist of: "lighthouse at night" is a lighthouse, and night.

A picture must show each of them. Else the right place would carry a wrong subject.
"""

from __future__ import annotations

import re

# Words between a thing and where, when or with what it is. A preposition that is another word in
# one of these languages is left out, such as German "an" and Portuguese "no". So is "and": who
# asks for "black and white" asks for one thing.
_BETWEEN = """
    in front of, on top of, next to, close to, in, on, at, inside, outside, under, beneath, near,
    with, behind, beside, above, below, over, among, between, during, against, across, through
    im, in der, in einem, in einer, am, auf, bei, mit, unter, vor, neben, hinter, über, zwischen
    dans, sur, sous, avec, devant, derrière, à côté de, près de, à la, à, au, aux, en, entre,
    pendant
    en el, en la, sobre, bajo, con, junto a, delante de, detrás de, cerca de, al, durante
    na, nas, em, num, numa, sob, com, ao, à, perto de, atrás de, em frente
    nel, nella, nello, sul, sulla, sotto, con, davanti a, vicino a
    op, bij, onder, met, voor, naast, achter
    в, во, на, под, над, с, со, у, перед, за, около, возле, среди, между
"""
_ARTICLES = """
    the a an this that these those my your our some, der die das dem den des ein eine einem einen
    einer, le la les l' un une des mon ma mes, el los las unos unas, o os as um uma uns umas, il lo
    gli i, de het een
"""
# The same between words that no blanks separate.
_UNSPACED = ["の中の", "の上の", "の下の", "での", "里的", "上的", "下的", "中的"]
# What a picture is made of, and no wish: "the dog in this picture", "a tree in the background".
_NO_WISH = "picture pictures photo photos image images background foreground middle bild foto fond"
MOST_PARTS = 4


def _words(text: str) -> list[str]:
    return [word.strip() for word in re.split(r"[,\n]", text) if word.strip()]


_SPLIT = re.compile(
    rf"(?:^|(?<=\s))(?:{'|'.join(sorted(map(re.escape, _words(_BETWEEN)), key=len, reverse=True))})"
    rf"(?=\s|$)|{'|'.join(_UNSPACED)}",
    re.IGNORECASE,
)
_LEADING = re.compile(
    rf"^(?:(?:{'|'.join(map(re.escape, _ARTICLES.replace(',', ' ').split()))})\s+)+", re.IGNORECASE
)


def parts_of(text: str) -> tuple[str, ...]:
    """The wishes in a text, in order, without articles before them; () when it is one wish.

    It knows prepositions of some languages. Any other text is one wish.
    """
    pieces = [_LEADING.sub("", piece.strip(" ,.;:!?")) for piece in _SPLIT.split(text)]
    wishes = [
        piece
        for piece in pieces
        if any(letter.isalnum() for letter in piece) and piece.lower() not in _NO_WISH.split()
    ]
    return tuple(wishes) if 1 < len(wishes) <= MOST_PARTS else ()
