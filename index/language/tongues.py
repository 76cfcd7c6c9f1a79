"""The words of each language that change what a line means. A new language is a new entry here.

English is read for everybody, since most people write to bots in it. The reader's own language is
read beside it, and where the two disagree it is right: "no" is no negation in Portuguese.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from index.language.wish import Reader

Phrase = tuple[str, ...]
Phrases = frozenset[Phrase]


@dataclass(frozen=True)
class Tongue:
    """The words of a language, in lower case.

    without    always negate what follows: "without". A model is never handed them
    no         negate what follows, but for the phrases in `fixed`: "no", "but not"
    fixed      phrases with such a word that mean something else: "no parking"
    verbal     those of `no` that negate a verb where a subject stands before it: "you should not"
    subjects   subjects of sentences; pictures are seldom described with them
    signs      things that show the words before them as a text: "no dogs allowed", "no fire sign"
    joining    lead to the negation and go with it: "but", "with"
    articles   stand before what is negated and are no part of it: "a", "any"
    ends       begin another part of the line, such as prepositions: "in", "on"
    lists      go on with what is negated: "or", "and"
    elided     beginnings that stick to the next word: "d'" in "pas d'arbres"
    suffixes   negate the word that they are the end of, where no blanks are written: "雪なし"
    ago        words of "3 days ago"
    dates      dates that people choose often
    """

    without: Phrases = frozenset()
    no: Phrases = frozenset()
    fixed: Phrases = frozenset()
    verbal: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    signs: frozenset[str] = frozenset()
    joining: frozenset[str] = frozenset()
    articles: Phrases = frozenset()
    ends: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    elided: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    ago: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()

    @functools.cached_property
    def beginnings(self) -> frozenset[str]:
        """The first words of all phrases that negate, or look so."""
        return frozenset(phrase[0] for phrase in self.without | self.no | self.fixed)


def _phrases(*texts: str) -> Phrases:
    """The phrases of texts in which commas separate them."""
    return frozenset(tuple(one.split()) for text in texts for one in text.split(","))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TONGUES: Mapping[str, Tongue] = {
    "en": Tongue(
        without=_phrases("without, w/o, witout, withouth, whithout, withot"),
        no=_phrases(
            "no, not, except, except for, excluding, other than, apart from, aside from",
            "but no, but not, and no, and not, with no, with not, minus",
        ),
        fixed=_phrases(
            "no parking, no smoking, no entry, no exit, no swimming, no diving, no fishing",
            "no trespassing, no stopping, no standing, no littering, no loitering, no vaping",
            "no talking, no running, no climbing, no photography, no cameras, no vacancy",
            "no access, no admittance, no thoroughfare, no u-turn, no cycling, no camping",
            "no one, no man's land, no mans land, no way, no idea, no problem, no doubt, no name",
            "no longer, no more, no less, no matter, no signal, no signal screen, no limit",
            "no limits, no fear, no game no life, no country for old men, no u, no time to die",
            "no face, no clue, no thanks, no thank you, no pain no gain, no good, no big deal",
            "no comment, no offense, no mercy, no worries, no contest, no return, no service",
            "no to, no and, no or, no no, yes no, say no, said no, says no, or no, dr no",
            "not safe, not safe for work, not sure, not bad, not found, not working, not funny",
            "not available, not amused, not ok, not okay, not only, not even, not today",
            "not impressed, not like, not my, not equal, not guilty, not stonks, not again",
            "not yet, not real, not now, not really, not just, not so, not too, not very, not all",
            "not every",
            "not enough, not allowed, not to, not as, not for, not that, not this, not here",
            "why not, or not, if not, forget me not, is not, are not, was not, were not, am not",
            "do not, does not, did not, can not, could not, should not, would not, will not",
            "must not, has not, have not, had not, may not, might not, need not, thou shalt not",
            "shall not, let's not, lets not, better not, not simply, not actually",
            "not exactly, not necessarily, not gonna, not going, not because, not how, not what",
            "not when, not where, not who, not me, not you, not him, not her, not us, not them",
            "plus or minus, minus sign, minus one, all except",
        ),
        verbal=_words("not"),
        subjects=_words(
            "i you he she it we they who there that this im youre hes shes its were theyre thats"
        ),
        signs=_words("sign signs sticker symbol logo zone poster allowed please policy"),
        joining=_words("but and with or"),
        articles=_phrases(
            "a, an, the, any, his, her, its, their, my, your, our, some, a lot of, lots of, any of",
            "all, those, these, that, this, having, there being, being",
        ),
        ends=_words(
            "in on at with by near under over behind beside between into onto from inside outside "
            "above below against during for to next while who which that where when but around "
            "through along across is are as before after beneath underneath within among "
            "wearing holding standing sitting"
        ),
        lists=_words("and or nor"),
        ago=(" ago ",),
        dates=("today", "yesterday", "this week", "last week", "this month", "last month",
               "this year", "last year", "3 days ago"),
    ),
    "de": Tongue(
        without=_phrases("ohne"),
        no=_phrases(
            "kein, keine, keinen, keinem, keiner, keines, nicht, außer, ausser, ausgenommen",
            "aber kein, aber keine, aber keinen, aber nicht, und nicht, und kein, und keine",
            "und keinen, mit keinem, mit keiner",
        ),
        fixed=_phrases(
            "kein zutritt, keine ahnung, kein problem, keine werbung, kein eingang, kein ausgang",
            "kein durchgang, kein winterdienst, keine zeit, keine lust, kein bock, keine sorge",
            "nicht schlecht, nicht lustig, nicht jugendfrei, nicht gefunden, nicht sicher",
            "nicht betreten, nicht berühren, nicht verfügbar, nicht nur, nicht mehr, nicht mal",
            "nicht so, nicht sehr, nicht ganz, nicht alle, nicht wirklich, bitte nicht",
            "warum nicht",
            "oder nicht, ist nicht, sind nicht, war nicht, bin nicht, darf nicht, kann nicht",
            "will nicht, muss nicht, wenn nicht, vergiss mein nicht, außer betrieb, außer atem",
            "außer kontrolle, ausser betrieb",
        ),
        verbal=_words("nicht"),
        subjects=_words("ich du er sie es wir ihr man wer"),
        signs=_words("schild schilder verboten erlaubt aufkleber"),
        joining=_words("aber und mit oder"),
        articles=_phrases(
            "ein, eine, einen, einem, einer, der, die, das, den, dem, jede, jeden, jegliche",
            "irgendwelche, seine, seinen, ihre, ihren, viel, viele",
        ),
        ends=_words(
            "in im am an auf mit bei unter vor hinter neben über zwischen aus von vom zum zur für "
            "gegen um durch während aber sondern ohne der die das wenn wo beim"
        ),
        lists=_words("und oder noch"),
        ago=(" vor ",),
        dates=("heute", "gestern", "diese Woche", "letzte Woche", "letzten Monat",
               "letztes Jahr", "vor 3 Tagen"),
    ),
    "fr": Tongue(
        without=_phrases("sans"),
        no=_phrases(
            "pas de, pas, mais pas, mais pas de, et pas de, et pas, aucun, aucune, sauf, excepté",
            "hormis, avec aucun, avec aucune",
        ),
        fixed=_phrases(
            "pas mal, pas encore, pas grave, pas sûr, pas trop, pas très, pas si, pas du, pas à",
            "pas possible, pas content, pas contente, pas drôle, pas touche, pas bien, pas ici",
            "pas le, pas la, pas les, pas un, pas une, pas que, pourquoi pas, ou pas, n'est pas",
            "est pas, suis pas, sont pas, était pas, aucun problème, aucune idée, sauf que",
            "pas de problème, pas de porte, pas de calais, pas de deux, pas de souci, un pas",
            "petit pas, premier pas, premiers pas, grand pas",
            "n'a pas, n'ont pas, n'y a pas, ne veut pas, ne peut pas, ne sont pas",
        ),
        signs=_words("interdit interdits interdite panneau autorisé autorisés admis"),
        joining=_words("mais et avec ou"),
        articles=_phrases(
            "un, une, le, la, les, de, du, des, son, sa, ses, leur, leurs, aucun, aucune",
            "beaucoup de",
        ),
        ends=_words(
            "dans en à au aux sur sous avec par près devant derrière entre pour chez contre vers "
            "pendant mais qui que où quand"
        ),
        lists=_words("et ou ni"),
        elided=("d'", "d’", "l'", "l’"),
        ago=(" il y a ",),
        dates=("aujourd'hui", "hier", "la semaine dernière", "le mois dernier", "l'année dernière",
               "il y a 3 jours"),
    ),
    "es": Tongue(
        without=_phrases("sin"),
        no=_phrases("pero no, y no, ningún, ninguna, excepto, salvo, menos, nada de, con ningún"),
        fixed=_phrases("no, más o menos, al menos, por lo menos, menos mal, echar de menos"),
        signs=_words("cartel señal letrero prohibido prohibidos permitido permitidos"),
        joining=_words("pero y con o"),
        articles=_phrases("un, una, unos, unas, el, la, los, las, ningún, ninguna, su, sus, mucho"),
        ends=_words(
            "en con por para sobre bajo ante detrás delante entre junto cerca desde hacia contra "
            "durante pero que donde cuando a al"
        ),
        lists=_words("y e o u ni"),
        ago=(" hace ",),
        dates=("hoy", "ayer", "la semana pasada", "el mes pasado", "el año pasado", "hace 3 días"),
    ),
    "pt": Tongue(
        without=_phrases("sem"),
        no=_phrases("mas não, e não, nenhum, nenhuma, exceto, exceto por, salvo, menos, nada de"),
        fixed=_phrases("no, não, mais ou menos, pelo menos, ao menos, e não é, são e salvo"),
        signs=_words("placa cartaz aviso proibido proibidos permitido permitidos"),
        joining=_words("mas e com ou"),
        articles=_phrases("um, uma, uns, umas, o, a, os, as, nenhum, nenhuma, seu, sua"),
        ends=_words(
            "em no na nos nas num numa com por para sobre sob ante atrás entre perto desde contra "
            "durante mas que onde quando ao à"
        ),
        lists=_words("e ou nem"),
        ago=(" há ", " atrás "),
        dates=("hoje", "ontem", "semana passada", "mês passado", "ano passado", "há 3 dias"),
    ),
    "it": Tongue(
        without=_phrases("senza"),
        no=_phrases("ma non, e non, nessun, nessuna, nessuno, tranne, eccetto, niente"),
        fixed=_phrases("no, non, e non solo, ma non solo, niente di"),
        signs=_words("cartello vietato vietati ammessi"),
        joining=_words("ma e con o"),
        articles=_phrases("un, uno, una, il, lo, la, i, gli, le, nessun, nessuna, suo, sua"),
        ends=_words(
            "in nel nella nei su sul sulla con per tra fra sotto sopra dietro davanti vicino a al "
            "alla da ma che dove quando"
        ),
        lists=_words("e ed o né"),
        elided=("l'", "l’", "un'", "un’"),
        ago=(" fa ",),
        dates=("oggi", "ieri", "la settimana scorsa", "il mese scorso", "l'anno scorso",
               "3 giorni fa"),
    ),
    "ja": Tongue(
        suffixes=("がいない", "のいない", "がない", "のない", "以外", "抜き", "無し",
                  "なし"),
        ago=("前",),
        dates=("今日", "昨日", "今週", "先週", "先月", "昨年", "3日前"),
    ),
}  # fmt: skip


@functools.lru_cache(maxsize=64)
def _of(language: str) -> tuple[Tongue, ...]:
    own = (TONGUES[language],) if language in TONGUES else ()
    return own if language == "en" else (*own, TONGUES["en"])


def read_by(reader: Reader) -> tuple[Tongue, ...]:
    """The languages in which a reader's lines are read, their own first."""
    return _of(reader.language)


def without_article(text: str, reader: Reader) -> str:
    """A date in words without the article that it begins with: "la settimana scorsa"."""
    first, _, rest = text.partition(" ")
    for tongue in read_by(reader):
        if rest and (first,) in tongue.articles:
            return rest
        for beginning in tongue.elided:
            if text.startswith(beginning):
                return text[len(beginning) :]
    return text


def is_ago(text: str, reader: Reader) -> bool:
    """Whether a date in words counts back from today, as "3 weeks ago" does."""
    padded = f" {text} "
    return any(word in padded for tongue in read_by(reader) for word in tongue.ago)
