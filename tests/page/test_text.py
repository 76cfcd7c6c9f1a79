"""The page's modules without DOM, run in a browser: markdown, typed commands, permissions."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from bot.text.pieces import quoted

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALL = """async ([module, name, args]) => {
  const found = await import(new URL(module, document.baseURI).href);
  return found[name](...args);
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, base: str) -> Any:
    page = await browser.new_page()
    await page.goto(base)
    yield page
    await page.context.close()


async def call(page: Page, module: str, name: str, *args: Any) -> Any:
    return await page.evaluate(CALL, [module, name, list(args)])


async def parse(page: Page, text: str) -> list[dict[str, Any]]:
    """The nodes of the first line."""
    blocks = await call(page, "markdown.js", "parse", text)
    nodes: list[dict[str, Any]] = blocks[0].get("children", blocks)
    return nodes


async def test_inline_marks_nest(page: Page) -> None:
    [strong] = await parse(page, "**bold *and* `code`**")
    assert strong["type"] == "strong"
    assert [node["type"] for node in strong["children"]] == ["text", "em", "text", "code"]
    [both] = await parse(page, "***both***")
    assert both["children"][0]["type"] == "em"


async def test_words_with_underscores_and_lone_marks_are_text(page: Page) -> None:
    for text in ("snake_case_name", "2 * 3 * 4", "a ** b", "\\*not\\*", "|| half", "`open"):
        kinds = {node["type"] for node in await parse(page, text)}
        assert kinds == {"text"}, text


async def test_mentions_times_and_links(page: Page) -> None:
    text = "<@12345> <#23456> <@&34567> <t:1700000000:R> [a](https://a.example/b_(c)) https://x.example."
    nodes = [node for node in await parse(page, text) if node["type"] != "text"]
    kinds = [node["type"] for node in nodes]
    assert kinds == ["user", "channel", "role", "time", "link", "url"]
    assert nodes[3] == {"type": "time", "seconds": 1700000000, "style": "R"}
    assert nodes[4]["url"] == "https://a.example/b_(c)"
    assert nodes[5]["url"] == "https://x.example"


async def test_what_a_stranger_wrote_is_shown_letter_by_letter(page: Page) -> None:
    for written in (
        "[a](b) [Claim Nitro](https://evil.example/x_y)",
        "**bold** `code` ||hidden|| ~~no~~ <t:1:R> https://x.example",
        "- # 1. > *a* \\[b](https://c.example)",
    ):
        nodes = await parse(page, quoted(written))
        assert {node["type"] for node in nodes} == {"text"}, written
        assert "".join(node["text"] for node in nodes) == written


async def test_blocks(page: Page) -> None:
    text = "# one\n-# small\n> quoted\n- a\n  - b\n1. c\n```py\nx = 1\n```\nrest"
    blocks = await call(page, "markdown.js", "parse", text)
    kinds = [block["type"] for block in blocks]
    assert kinds == ["heading", "subtext", "quote", "list", "codeblock", "line"] or kinds == [
        "heading", "subtext", "quote", "list", "list", "codeblock", "line",
    ]  # fmt: skip
    assert next(block for block in blocks if block["type"] == "codeblock")["text"] == "x = 1"


async def test_hostile_text_is_parsed_in_time(page: Page) -> None:
    for text in (
        "*" * 4000,
        "`" * 4000,
        "\\" * 4000,
        "[" * 4000,
        "_a" * 2000,
        "> " * 2000,
        "||" * 2000,
    ):
        took_ms = await page.evaluate(
            """async (text) => {
              const { parse } = await import(new URL("markdown.js", document.baseURI).href);
              const start = performance.now();
              parse(text);
              return performance.now() - start;
            }""",
            text,
        )
        assert took_ms < 5000, text[:4]  # seconds would freeze the page; this takes milliseconds


LEAVES = [
    {"name": "find", "options": [{"name": "query", "type": 3}, {"name": "image", "type": 11},
                                 {"name": "show", "type": 3}]},
    {"name": "channels add", "options": [{"name": "channel", "type": 7}]},
    {"name": "reindex", "options": [{"name": "channel", "type": 7},
                                    {"name": "what", "type": 3, "choices": [{"name": "all"}]}]},
    {"name": "status", "options": []},
]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "name", "texts"),
    [
        ("/find dog in snow", "find", {"query": "dog in snow"}),
        ("/find query: dog in snow show:everyone", "find",
         {"query": "dog in snow", "show": "everyone"}),
        ("/find dog: in snow", "find", {"query": "dog: in snow"}),
        ("/find", "find", {}),
        ("/channels add #pets", "channels add", {"channel": "#pets"}),
        ("/reindex channel:#pets what:all", "reindex", {"channel": "#pets", "what": "all"}),
        ("/reindex #pets", "reindex", {"channel": "#pets"}),
        ("/find image:", "find", {"image": ""}),
        ("/status", "status", {}),
    ],
)  # fmt: skip
async def test_typed_commands(page: Page, typed: str, name: str, texts: dict[str, str]) -> None:
    parsed = await call(page, "commands.js", "parseTyped", typed, LEAVES)
    assert parsed["leaf"]["name"] == name
    assert parsed["texts"] == texts


@pytest.mark.parametrize("typed", ["/fin dog", "/channels", "/finder x", "find dog", "/"])
async def test_text_that_is_not_a_command(page: Page, typed: str) -> None:
    assert await call(page, "commands.js", "parseTyped", typed, LEAVES) is None
