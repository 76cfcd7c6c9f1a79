"""Only the browser of this machine reads the page, with its whole address, and no file beside the
gallery's pictures."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from index.gallery import Gallery
from serve import files
from tests.index.colours import png
from tests.serve.conftest import Client, added, serving, write

PATHS = ("", "page/index.html", "api/gallery", "thumb/1?h=200", "file/1", "api/events")
# Ways to name a file in a request.
NAMED = (
    "page/../guard.py",
    "page/%2e%2e/guard.py",
    "page/..%2fguard.py",
    "page/%2e%2e%2f%2e%2e%2fpyproject.toml",
    "page//etc/hostname",
    "page/%2fetc%2fhostname",
    "page/index.html%00.js",
    "page/guard.py",
    "file/../../etc/hostname",
    "file/..%2f..%2fetc%2fhostname",
    "file/%2fetc%2fhostname",
    "file/1/../../../etc/hostname",
    "thumb/..%2f1?h=200",
    "file/-1",
    "file/1e3",
    "file/99999999999999999999999",
    "file/%D9%A1",
    "api/order/..%2fgallery",
)
# What may follow in the place of a picture, and would run a script if it were shown as it is.
NONSENSE = (
    b"[" * 90_000,
    b'{"more": [1e400]}',
    b'{"folder": "\\ud800"}',
    b'{"line": "\\ud800"}',
    b'{"picture": {}}',
)
SCRIPTS = (
    b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    b"<!doctype html><script>alert(1)</script>",
    b"<html>GIF89a<script>alert(1)</script>",
)


# Headers of a request, and a body that isn't what they say.
DAMAGED = (
    (b"Content-Encoding: gzip\r\nContent-Length: 7", b"no gzip"),
    (b"Content-Encoding: deflate\r\nContent-Length: 7", b"no zlib"),
    (b"Transfer-Encoding: chunked", b"no number\r\n"),
    (b"Transfer-Encoding: chunked", b"2\r\nabcdef\r\n"),
    (b"Content-Length: many", b""),
    (b"Content-Length: -1", b""),
    (b"Content-Length: 2\r\nContent-Length: 3", b"{}}"),
    (b"Content-Length: 2\r\nTransfer-Encoding: chunked", b"{}"),
    (b"Content-Length: 1000000000", b"[" * 200_000),
    (b"X: " + b"x" * 100_000, b""),
    (b"\r\n".join(b"X%d: x" % number for number in range(5000)), b""),
)


async def sent(client: Client, head: bytes, body: bytes) -> int:
    """The status of the answer to a question with these headers."""
    where = urlsplit(client.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    start = f"POST {with_token(client, 'api/ask')} HTTP/1.1\r\nHost: {where.netloc}\r\n"
    writer.write(start.encode() + head + b"\r\n\r\n" + body)
    line = await asyncio.wait_for(reader.readline(), 30)
    writer.close()
    return int(line.split()[1])


async def raw(client: Client, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """The answer to a request line and headers exactly as they are written here."""
    where = urlsplit(client.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    lines = {"Host": where.netloc, "Connection": "close"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    told = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"{method} {path} HTTP/1.1\r\n{told}\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.read()
    writer.close()
    return int(head.split()[1]), body


def with_token(client: Client, path: str) -> str:
    return urlsplit(client.url).path + path


async def test_without_its_token_every_address_is_the_same_404(client: Client) -> None:
    nowhere = await raw(client, "/")
    assert nowhere[0] == 404
    token = urlsplit(client.url).path.strip("/")
    for path in PATHS:
        for wrong in ("x" * 32, token[:-1], token + "x", token.swapcase(), ""):
            assert await raw(client, f"/{wrong}/{path}") == nowhere
        # Also to another site, whose request would be refused in other words.
        assert await raw(client, f"/{'x' * 32}/{path}", Origin="https://evil.example") == nowhere


async def test_the_token_of_an_earlier_start_opens_nothing(file: Path, folder: Path) -> None:
    await added(file, folder)
    async with serving(file, folder) as client:
        before = with_token(client, "api/gallery")
        assert (await raw(client, before))[0] == 200
    async with serving(file, folder) as client:
        assert (await raw(client, before))[0] == 404


async def test_a_browser_is_started_with_an_address_that_opens_the_page_once(
    client: Client,
) -> None:
    assert urlsplit(client.url).path.strip("/") not in client.once
    refused = await client.get("", headers={"Host": "evil.example"})
    assert refused.status == 403
    async with client.session.get(client.once) as page:
        assert (page.status, str(page.url)) == (200, client.url)
    nowhere = await raw(client, "/")
    assert await raw(client, urlsplit(client.once).path) == nowhere


async def test_a_request_without_a_path_is_the_same_404(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = await raw(client, "/")
    for method, path in (("OPTIONS", "*"), ("CONNECT", "evil.example:80")):
        assert await raw(client, path, method) == nowhere
    assert not caplog.records


async def test_a_name_that_was_pointed_here_is_refused(client: Client) -> None:
    port = urlsplit(client.url).port
    path = with_token(client, "api/gallery")
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"[::1]:{port}", ""):
        assert (await raw(client, path, Host=host))[0] == 403, host
    assert (await raw(client, path, Host=f"localhost:{port}"))[0] == 200


async def test_another_site_can_not_even_read(client: Client) -> None:
    for path in PATHS:
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:1"},
            {"Sec_Fetch_Site": "cross-site"},
            {"Sec_Fetch_Site": "same-site"},
        ):
            status, _ = await raw(client, with_token(client, path), **headers)
            assert status == 403, (path, headers)


async def test_another_site_can_not_begin_to_add(client: Client) -> None:
    answer = await client.post("api/add", headers={"Origin": "https://evil.example"})
    assert answer.status == 403
    assert client.opened.adding is None
    origin = client.url.rsplit("/", 2)[0]
    assert (await client.post("api/add", headers={"Origin": origin})).status == 202


async def test_no_path_of_a_request_names_a_file(client: Client) -> None:
    for path in NAMED:
        status, body = await raw(client, with_token(client, path))
        assert status in (400, 404), path
        assert b'{"sentence": ' in body, path


async def test_a_file_that_a_link_leads_out_to_is_not_read(
    file: Path, folder: Path, tmp_path: Path
) -> None:
    outside = write(tmp_path / "secret" / "white.png", png("white"))
    (folder / "link.png").symlink_to(outside)
    (folder / "inside.png").symlink_to(folder / "b" / "green.png")
    await added(file, folder)
    async with serving(file, folder) as client:
        for picture in (await client.json(f"api/order/{(await client.ask())['ask']}"))["ids"]:
            name = (await client.json(f"api/picture/{picture}"))["name"]
            allowed = 404 if name == "link.png" else 200
            assert (await client.get(f"file/{picture}")).status == allowed, name
            assert (await client.get(f"thumb/{picture}?h=200")).status == allowed, name


async def test_a_link_that_takes_the_place_of_a_file_while_it_is_opened_is_not_read(
    client: Client, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = write(tmp_path / "secret" / "white.png", png("white"))
    (green, *_) = await client.found(line="green", guesses=True, folder="b")
    looked = files.refuse_odd

    def swapped(status: os.stat_result) -> None:
        looked(status)
        (folder / "b" / "green.png").unlink()
        (folder / "b" / "green.png").symlink_to(outside)

    monkeypatch.setattr(files, "refuse_odd", swapped)  # the last look before it is opened
    answer = await client.get(f"file/{green['id']}")
    assert (answer.status, answer.content_type) == (404, "application/json")


async def test_a_file_that_is_replaced_after_it_was_opened_is_still_the_one_that_is_read(
    client: Client, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not files.OPEN_FILES.is_dir():
        pytest.skip("only Linux names open files")
    outside = write(tmp_path / "secret" / "white.png", png("white"))
    (green, *_) = await client.found(line="green", guesses=True, folder="b")
    read = files.contents

    async def swapped(path: Path, gallery: Gallery | None) -> bytes:
        (folder / "b" / "green.png").unlink()
        (folder / "b" / "green.png").symlink_to(outside)
        return await read(path, gallery)

    monkeypatch.setattr(files, "contents", swapped)
    data = (folder / "b" / "green.png").read_bytes()
    answer = await client.get(f"file/{green['id']}")
    assert (answer.status, answer._body) == (200, data)


async def test_a_folder_that_becomes_a_link_out_is_not_followed(
    client: Client, folder: Path, tmp_path: Path
) -> None:
    (green, *_) = await client.found(line="green", guesses=True, folder="b")
    os.rename(folder / "b", tmp_path / "elsewhere")
    (folder / "b").symlink_to(tmp_path / "elsewhere")
    assert (folder / "b" / "green.png").is_file()
    assert (await client.get(f"file/{green['id']}")).status == 404


async def test_pictures_of_other_folders_are_not_served(
    file: Path, folder: Path, tmp_path: Path
) -> None:
    other = write(tmp_path / "other" / "white.png", png("white"))
    await added(file, folder)
    await added(file, other.parent)
    async with serving(file, folder) as client:
        assert not client.opened.inventory.whole
        listed = await client.listed()
        assert len(listed) == 4
        assert not any("white" in path for path in listed)
        assert {hit["name"] for hit in await client.found(line="white", guesses=True)} <= {
            "red.png", "again.png", "green.png", "blue.png", "moving.gif",
        }  # fmt: skip
        everything = range(1, 10)
        statuses = [(await client.get(f"file/{id}")).status for id in everything]
        assert statuses.count(200) == 5
        answer = await client.post("api/ask", json={"like": 6})
        assert answer.status == 404
        assert (await client.post("api/ask", json={"folder": "../other"})).status == 400


async def test_what_can_hold_a_script_is_never_sent_as_such(client: Client, folder: Path) -> None:
    (blue,) = await client.found(line="blue", guesses=True, folder="b/deep")
    for data in SCRIPTS:
        write(folder / "b" / "deep" / "blue.png", data)  # after it was added
        answer = await client.get(f"file/{blue['id']}")
        assert (answer.status, answer.content_type) == (404, "application/json")
        assert "<" not in await answer.text()


async def test_every_answer_forbids_what_the_page_does_not_need(client: Client) -> None:
    for path in (*PATHS[:-1], "nothing", "file/9999", "../nothing"):
        headers = (await client.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Server" not in headers
        assert "Access-Control-Allow-Origin" not in headers


async def test_only_this_machine_is_listened_to(client: Client) -> None:
    where = urlsplit(client.url)
    assert where.hostname == "127.0.0.1"
    for address in ("127.0.0.2", "::1", socket.gethostbyname(socket.gethostname())):
        if address != where.hostname:
            with pytest.raises(OSError, match="Connect call failed"):
                await asyncio.open_connection(address, where.port)


async def test_nothing_of_a_fault_is_told(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.opened.inventory = None  # type: ignore[assignment]
    answer = await client.get("api/gallery")
    assert answer.status == 500
    assert (await answer.json()) == {"sentence": "Something went wrong; the terminal says what."}
    assert "Traceback" in caplog.text


async def test_a_body_too_large_is_refused(client: Client) -> None:
    answer = await client.post("api/ask", data=b"[" * 200_000)
    assert answer.status == 413
    assert "at most 100 kB" in (await answer.json())["sentence"]


async def test_a_body_that_makes_no_sense_is_no_fault_of_ours(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    for body in NONSENSE:
        answer = await client.post("api/ask", data=body)
        assert answer.status == 400, body[:80]
    answer = await client.post(
        "api/ask", data=b"no gzip", headers={"Content-Encoding": "gzip"}, compress=False
    )
    assert answer.status == 400
    assert (await answer.json()) == {"sentence": "What was sent is damaged."}
    for head, body in DAMAGED:
        status = await sent(client, head, body)
        assert status in (400, 411, 413, 431), head
    assert (await client.get("api/gallery")).status == 200
    assert not caplog.records
