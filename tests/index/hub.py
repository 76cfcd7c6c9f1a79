"""A local Hugging Face hub, which serves the files of a folder as one public model."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextlib.contextmanager
def serving(
    name: str, folder: Path, *, stalled: threading.Event | None = None
) -> Iterator[tuple[str, list[str]]]:
    """The address of the hub, and the list of files that were downloaded from it.

    stalled   no file is sent until this is set
    """
    downloaded: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            if path.startswith(f"/api/models/{name}/tree/"):
                self._json([_entry(file) for file in sorted(folder.iterdir())])
            elif path == f"/api/models/{name}" or path.startswith(f"/api/models/{name}/revision/"):
                siblings = [{"rfilename": file.name} for file in sorted(folder.iterdir())]
                self._json({"id": name, "sha": COMMIT, "siblings": siblings})
            elif path.startswith(f"/{name}/resolve/"):
                self._file(folder / path.rpartition("/")[2])
            else:
                self._json({"error": "Repository not found"}, 404, "RepoNotFound")

        do_HEAD = do_GET

        def _json(self, body: object, status: int = 200, code: str = "") -> None:
            self._send(json.dumps(body).encode(), status, {"X-Error-Code": code} if code else {})

        def _file(self, file: Path) -> None:
            data = file.read_bytes()
            if self.command == "GET":
                downloaded.append(file.name)
                if stalled is not None:
                    stalled.wait()
            etag = hashlib.sha256(data).hexdigest()
            self._send(data, 200, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})

        def _send(self, data: bytes, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", downloaded
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _entry(file: Path) -> dict[str, object]:
    data = file.read_bytes()
    return {
        "type": "file",
        "path": file.name,
        "size": len(data),
        "oid": hashlib.sha1(data).hexdigest(),
    }
