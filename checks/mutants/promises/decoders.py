"""A decoder that was taken over can do little, and one that hangs is ended."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

ZOO = "tests/index/images/test_zoo.py"
DECODERS = "tests/index/images/test_decoders.py"
CONFINED = "tests/index/images/test_confinement.py"
SECRECY = "tests/bot/ops/test_secrecy.py"

MUTANTS = (
    Mutant(
        "a decoder that hangs is ended",
        "index/images/decoders.py",
        "self._process.kill()  # no other signal",
        "pass  # no other signal",
        (DECODERS,),
    ),
    Mutant(
        "a decoder that has stopped is ended, too",
        "index/images/decoders.py",
        "self._process.kill()  # no other signal",
        "self._process.terminate()  # no other signal",
        (DECODERS,),
    ),
    Mutant(
        "a picture with a nearer end wakes the one who ends decoders",
        "index/images/decoders.py",
        "            elif due < self._next:",
        "            elif False:",
        (f"{DECODERS}::test_a_process_that_hangs_is_ended",),
    ),
    Mutant(
        "a decoder's answer is no larger than a picture may be",
        "index/images/decoders.py",
        "if min(width, height) < 1 or width * height > most_pixels:",
        "if False:",
        (DECODERS,),
    ),
    Mutant(
        "a decoder can open nothing",
        "index/images/confinement.py",
        "_limit(resource.RLIMIT_NOFILE, 0)",
        "pass",
        (CONFINED,),
    ),
    Mutant(
        "a decoder can start no process",
        "index/images/confinement.py",
        "_limit(resource.RLIMIT_NPROC, 0)",
        "pass",
        (CONFINED,),
    ),
    Mutant(
        "a decoder may make no system call but a few",
        "index/images/confinement.py",
        "    seccomp.seccomp_load(rules)\n",
        "",
        (CONFINED,),
    ),
    Mutant(
        "a decoder that may start threads can start no process",
        "index/images/confinement.py",
        "_Comparison(0, _MASKED_EQUAL, 0xFFFFFFFF ^ _CLONE_DETACHED, _THREAD)",
        "_Comparison(0, _MASKED_EQUAL, 0, 0)",
        (CONFINED,),
    ),
    Mutant(
        "a decoder can't run what it wrote",
        "index/images/confinement.py",
        "seccomp.seccomp_rule_add_array(rules, _ACT_ALLOW, number, 1, condition)",
        "seccomp.seccomp_rule_add_array(rules, _ACT_ALLOW, number, 0, None)",
        (CONFINED,),
    ),
    Mutant(
        "a decoder gets no token",
        "index/images/decoders.py",
        'for name in ("PATH", "LANG", "HOME") if name in os.environ}',
        "for name in os.environ}",
        (CONFINED,),
    ),
    Mutant(
        "the bot's children get no token",
        "bot/ops/secrecy.py",
        "os.environ.pop(name, None)",
        "pass",
        (SECRECY,),
    ),
    Mutant(
        "the bot's neighbours can't read its token",
        "bot/ops/secrecy.py",
        "ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)",
        "pass",
        (SECRECY,),
    ),
    Mutant(
        "the bot hides its token when it starts",
        "bot/__main__.py",
        "    hide_secrets()\n",
        "",
        (SECRECY,),
    ),
    Mutant(
        "nothing is left to import once a decoder is confined",
        "index/images/decoder.py",
        "from PIL import Image, ImageCms\n",
        "from PIL import Image\n\nImageCms = None\n",
        (ZOO,),
    ),
)
