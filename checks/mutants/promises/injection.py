"""A stranger's texts, files and addresses do no harm."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

INJECTION = "tests/bot/ask/test_injection.py"
PICTURES = "tests/bot/media/test_pictures.py"
DOWNLOAD = "tests/bot/media/test_download.py"
SENTENCES = "tests/bot/text/test_sentences.py"
LAYOUT = "tests/bot/ask/test_layout.py"

MUTANTS = (
    Mutant(
        "a stranger's words make no link under other words",
        "bot/text/pieces.py",
        r"[\\`*_~|<>\[\]():/@#+-]",
        r"[\\`*_~|<>:/@#+-]",
        (SENTENCES,),
    ),
    Mutant(
        "an answer pings nobody",
        "bot/platform/interactions.py",
        "NO_MENTIONS = discord.AllowedMentions.none()",
        "NO_MENTIONS = discord.AllowedMentions.all()",
        (f"{INJECTION}::test_mentions_in_a_question_ping_nobody",),
    ),
    Mutant(
        "spoilers stay spoilers",
        "bot/ask/layout.py",
        "    return shown.picture.spoiler or shown.hit.link.spoiler",
        "    return shown.picture.spoiler",
        (LAYOUT,),
    ),
    Mutant(
        "a link in spoiler bars hides every embed",
        "bot/media/pictures.py",
        "    spoiler = _hides_a_link(content)\n",
        "    spoiler = False\n",
        (PICTURES,),
    ),
    Mutant(
        "downloads go to Discord's hosts only",
        "bot/media/download.py",
        "                        url = self._allowed(_target(response))",
        "                        url = yarl.URL(_target(response))",
        (DOWNLOAD,),
    ),
    Mutant(
        "downloads reach no private address",
        "bot/media/download.py",
        'if ip_address(one["host"].split("%")[0]).is_global]',
        "]",
        (DOWNLOAD,),
    ),
    Mutant(
        "a download stops at its limit, whatever the header says",
        "bot/media/download.py",
        "        if size > max_bytes:",
        "        if False:",
        (DOWNLOAD,),
    ),
    Mutant(
        "a name writes no control sequence to the log",
        "bot/ops/logs.py",
        "    return letter if letter.isprintable()",
        "    return letter if True",
        ("tests/bot/ops/test_health.py",),
    ),
)
