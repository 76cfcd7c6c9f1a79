"""Hostile strings: markup, commands, broken characters, addresses, numbers out of range."""

from __future__ import annotations

import random

PIECES = (
    "dog", "in snow", "犬", "Ünïcödé", "🐕‍🦺", "e\u0301" * 5, "\u202egnp.exe", "\0", "\x1b[31m",
    "\ud800", "\udfff", "\ufeff", "\u2028", "\u200b" * 9, "\r\n", "\t", " " * 40, "ﷺ" * 20,
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢", "@everyone", "@here", "<@901>", "<@!901>", "<@&904>", "<#10>",
    "<:x:1>", "<a:x:1>", "<t:0:R>", "</find:1>", "**b**", "__u__", "~~s~~", "||s||", "`c`",
    "```js\n", "> q", "# h", "-# s", "[a](https://evil.example)", "[a](<javascript:alert(1)>)",
    "* l", "\\", "\\*", "https://evil.example/a.png", "<https://x.example>",
    "'; DROP TABLE links; --", "\" OR \"1\"=\"1", "') UNION SELECT sql FROM sqlite_master --",
    "%", "_", "*", "NEAR(", "../../../etc/passwd", "..\\..\\boot.ini", "/dev/zero",
    "file:///etc/passwd", "C:\\con", "~root/x", "a" * 300, "{0.__class__}", "{{7*7}}", "%s%n%x",
    "${jndi:ldap://x}", "$(reboot)", "`reboot`", "<script>", "&lt;", "\\u0000", "m:abc:0", "s:1",
    "p:1", "c:1", "i:x:1", "-" * 50, "\"", "“", "((((", "[" * 40, "from:@x", "after:9999-99-99",
    "null", "NaN", "-1", "1e999", "9" * 60, "٣", "0x7fffffff", "True", "",
)  # fmt: skip


def text(rng: random.Random, most: int = 400) -> str:
    """Some pieces in a row, at most `most` characters."""
    count = rng.choice((0, 1, 1, 2, 3, 5, 12, 60))
    glue = rng.choice((" ", "", " ", "\n"))
    return glue.join(rng.choice(PIECES) for _ in range(count))[:most]


def whole_text(rng: random.Random, most: int = 400) -> str:
    """The same without lone surrogates, which can't be sent as UTF-8."""
    return text(rng, most).encode(errors="replace").decode()


HOSTS = (
    "cdn.discordapp.com", "media.discordapp.net", "images-ext-1.discordapp.net", "evil.example",
    "127.0.0.1", "[::1]", "localhost", "169.254.169.254", "10.0.0.1", "0x7f.1", "2130706433",
    "[::ffff:127.0.0.1]", "[", "[::1", "exa℀mple.com", "cdn.discordapp.com.evil.example",
    "evil.example#cdn.discordapp.com", "cdn.discordapp.com@evil.example",
    "evil.example\\@cdn.discordapp.com", "cdn.discordapp.com\\.evil.example",
    "cdn.discordapp.com:443", "cdn.discordapp.com:x", "CDN.DISCORDAPP.COM", "cdn.discordapp.com.",
    "ｃdn.discordapp.com", "cdn。discordapp.com", "xn--a", "", " ", "a" * 300,
    "cdn.discordapp.com\t.evil.example", "cdn.discordapp.com\n", "\0cdn.discordapp.com",
    "images-ext-1.discordapp.net.evil.example", "images-ext-٣.discordapp.net",
    "images-ext-1.discordapp.net\n", "user:pw@media.discordapp.net", "media.discordapp.net:0",
)  # fmt: skip
SCHEMES = (
    "https", "https", "https", "http", "HTTPS", "ftp", "file", "data", "javascript", "", "ws",
    " https", "https\t",
)  # fmt: skip
PATHS = (
    "/attachments/1/2/dog.png", "/ephemeral-attachments/1/2/a.png",
    "/external/x/https/example.org/a.png", "/a.mp4", "/", "", "/..//../a.png",
    "/%2e%2e/%2e%2e/etc", "/a%00.png", "/%ff%fe.png", "/a.png?width=9&height=9",
    "/?url=http://127.0.0.1", "//evil.example/a.png", "/\\evil.example", "/a.png#?x",
    "/attachments/٣/٤/a.png", "/attachments/1/" + "9" * 400 + "/a.png",
)  # fmt: skip


def url(rng: random.Random) -> str:
    """An address: mostly one that looks like Discord's and isn't, sometimes one that is."""
    if rng.random() < 0.1:
        return text(rng, 200)
    made = f"{rng.choice(SCHEMES)}://{rng.choice(HOSTS)}{rng.choice(PATHS)}"
    if rng.random() < 0.2:
        at = rng.randrange(len(made) + 1)
        made = made[:at] + rng.choice(PIECES)[:20] + made[at:]
    return made


NUMBERS = (0, 1, -1, 2, 255, 2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 10**30)
