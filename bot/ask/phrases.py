"""Phrases around a question: those that ask for something else than pictures, and joining words.

They are read in English and in the language that is spoken now. The whole text counts: "posted
before?" asks that, "a repost of a dog in snow" is words to look for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from bot.languages.speech import ENGLISH, spoken

_LETTERS = r"[^\W\d_]+(?:['’][^\W\d_]+)?"
_NOT_WORDS = re.compile(r"<(?:@[!&]?|#)\d+>|<a?:\w+:\d+>|https?://\S+")
# A number may be a date, and what is in quotes is looked for.
_LOOKED_FOR = re.compile(r'[\d"“”„«»「」『』]')

# "help" in the languages that Magpie speaks.
_HELP = frozenset(["help", "hilfe", "aide", "ayuda", "ajuda", "ヘルプ", "助けて"])


def _plain(text: str) -> str:
    """Without case and accents, which people leave out: "deja poste"."""
    apart = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return "".join(one for one in apart if not unicodedata.combining(one))


class _Phrases:
    """The words of a language.

    joining   lead from a picture to the words beside it: "but" in "but at night"
    reposts   one of these is the whole question whether a picture was posted before
    posted    one of these asks that with one of `times` beside it
    beside    may stand beside them
    blanks    whether the language writes blanks between words
    """

    def __init__(
        self,
        *,
        joining: str,
        reposts: str,
        posted: str,
        times: str,
        beside: str,
        blanks: bool = True,
    ) -> None:
        self._reposts, self._posted, self._times = map(_set, (reposts, posted, times))
        self._known = self._reposts | self._posted | self._times | _set(beside)
        # Where no blanks are written, a text is cut into known words, and letters that are in none.
        longest_first = sorted(self._known, key=len, reverse=True)
        self._words = re.compile(_LETTERS if blanks else "|".join([*longest_first, r"[^\W\d_]"]))
        end = r"\b" if blanks else ""
        self._joining = re.compile(rf"^(?:{'|'.join(joining.split())}){end}[\s,、]*", re.IGNORECASE)

    def ask_whether_posted(self, text: str) -> bool:
        words = set(self._words.findall(_plain(text)))
        if not words <= self._known:
            return False
        return bool(words & self._reposts) or bool(words & self._posted and words & self._times)

    def without_joining(self, text: str) -> str:
        return self._joining.sub("", text)


def _set(words: str) -> frozenset[str]:
    return frozenset(_plain(words).split())


PHRASES: Mapping[str, _Phrases] = {
    "en": _Phrases(
        joining="and but just only",
        reposts="repost reposts reposted duplicate duplicated dupe",
        posted="posted post shared share seen sent uploaded shown been",
        times="before already earlier previously ever yet again first",
        beside="is isn't isnt was wasn't wasnt were has hasn't hasnt have haven't havent had did "
        "do does be this that it it's its the a an one picture pic image photo meme gif by in on "
        "of we i you u anyone anybody someone somebody everybody any some who when where how "
        "often time times or and not please pls plz hey hi hello so just maybe possibly here "
        "server channel",
    ),
    "de": _Phrases(
        joining="und aber nur bloß",
        reposts="repost reposts repostet gerepostet duplikat dublette doppelpost",
        posted="gepostet post geteilt gesehen geschickt gesendet hochgeladen gezeigt da dagewesen "
        "gewesen gab gab's gabs hatten",
        times="schon schonmal bereits früher vorher zuvor jemals wieder zuerst",
        beside="ist war waren wurde wurden worden sind hat haben hatte habt das dies diese dieses "
        "dieser die der den dem es ein eine einer eines mal einmal bild foto meme gif video von im "
        "in auf hier wir ich du ihr jemand irgendwer irgendwann wer wann wo wie oft oder und nicht "
        "bitte hey hi hallo also nur vielleicht etwa denn eigentlich server kanal",
    ),
    "es": _Phrases(
        joining="y pero solo sólo solamente",
        reposts="repost reposts repetida repetido repetidas duplicada duplicado duplicadas",
        posted="publicada publicado publicó publicaron publicaste posteada posteado posteó "
        "postearon subida subido subió subieron compartida compartido compartió compartieron "
        "enviada enviado envió enviaron mandada mandado mandó mandaron vista visto salido",
        times="ya antes anteriormente previamente alguna nunca primera",
        beside="se ha han había habían fue fueron es sido esta este esto esa ese eso la lo el los "
        "las una un imagen foto meme gif video por en de aquí servidor canal quién cuándo dónde "
        "cuántas veces vez que alguien me nos o y no si favor hey hola oye",
    ),
    "fr": _Phrases(
        joining="et mais juste seulement",
        reposts="repost reposts reposté repostée doublon doublons",
        posted="posté postée postés post partagé partagée publié publiée envoyé envoyée vu vue vus "
        "passé passée mis mise",
        times="déjà avant auparavant précédemment jamais première",
        beside="est c'est était ça cela ce cet cette a ont été l'a l'as l'avait n'a t on il elle "
        "quelqu'un qui quand où combien de fois la le les une un image photo meme gif vidéo ici "
        "sur dans serveur salon par que qu'on qu'elle qu'il s'il te vous plaît stp svp pas ou et "
        "bonjour salut hey",
    ),
    "ja": _Phrases(
        joining="でも けど だけど ただし しかし そして",
        reposts="既出 再投稿 再掲 重複 リポスト",
        posted="投稿 貼られ 貼られて 貼った 張られて 共有 アップ あげられて 上げられて 出た 見た",
        times="もう 既に すでに 前に 前にも まえに 以前 以前に 以前にも 過去に 先に",
        beside="この これ それ その 画像 写真 絵 動画 ミーム は って が を も に で の と "
        "誰か だれか 誰 だれ ここ ここに ここで サーバー チャンネル され されて して された した "
        "いる いた いました います る た ました ます ある あった あります ありました あり こと "
        "済み ずみ です でした だっけ っけ だ か かな でしょうか でしょう ない なかった よね ね "
        "いつ 何回 何度 ください 教えて",
        blanks=False,
    ),
    "pt": _Phrases(
        joining="e mas só somente apenas",
        reposts="repost reposts repostada repostado repetida repetido duplicada duplicado",
        posted="postada postado postou postaram postei publicada publicado publicou publicaram "
        "enviada enviado enviou enviaram compartilhada compartilhado compartilhou mandada mandado "
        "mandou mandaram vista visto viu viram apareceu",
        times="já antes anteriormente previamente alguma nunca primeira",
        beside="foi foram tinha tinham sido é está esta este isto isso essa esse a o as os uma um "
        "imagem foto meme gif vídeo por em no na neste nesse aqui servidor canal quem quando onde "
        "quantas vezes vez que alguém de do da e ou não se favor pfv oi olá ei",
    ),
}


@cache
def _read_in(language: str) -> tuple[_Phrases, ...]:
    return tuple(PHRASES[one] for one in dict.fromkeys((language, ENGLISH)))


def asks_whether_posted(text: str) -> bool:
    """Whether a message asks, beside mentions, only whether its picture was posted before."""
    said = _NOT_WORDS.sub(" ", text)
    if _LOOKED_FOR.search(said):
        return False
    return any(phrases.ask_whether_posted(said) for phrases in _read_in(spoken()))


def without_joining(said: str) -> str:
    """The words asked beside a picture, without a joining word: “at night” for “but at night”."""
    for phrases in _read_in(spoken()):
        if (rest := phrases.without_joining(said)) != said:
            return rest or said
    return said


def asks_for_help(line: str) -> bool:
    """Whether a line asks how to ask: "help", also in the languages that Magpie speaks."""
    return line.strip(" !?¿¡.").casefold() in _HELP
