"""The atlas as one page for a browser: to zoom into and to look around in, without any server."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from index.types.overview import Overview

# What draws it, in any page; `magpie serve` has the same.
CODE, STYLES = (Path(__file__).with_name(name) for name in ("atlas.js", "atlas.css"))
DIGITS = 4  # of a place from 0 to 1

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'; script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>{title}</title>
<style>
{styles}
html {{ color-scheme: light dark; }}
body {{
  display: grid;
  grid-template-rows: auto 1fr;
  height: 100dvh;
  margin: 0;
  background: light-dark(#fff, #0f1218);
  color: light-dark(#1a2030, #e7eaf2);
  font: 16px/1.4 system-ui, sans-serif;
}}
header {{ display: flex; flex-wrap: wrap; gap: 0 12px; align-items: baseline; padding: 10px 18px; }}
h1 {{ margin: 0; font-size: 19px; }}
header p {{ margin: 0; color: light-dark(#525c70, #a6afc0); }}
</style>
</head>
<body>
<header><h1>{title}</h1><p>{subtitle}</p></header>
<main id="atlas"></main>
<noscript><p>This page needs JavaScript.</p></noscript>
<script id="told" type="application/json">{told}</script>
<script type="module">{code}</script>
</body>
</html>
"""
_BEGIN = """
const told = JSON.parse(document.getElementById("told").textContent);
show(document.getElementById("atlas"), told.atlas, {
  picture: (id) => told.pictures[id] ?? null,
  name: (id) => told.names[id] ?? null,
});
"""


def atlas_data(overview: Overview) -> dict[str, Any]:
    """An overview as `atlas.js` takes it, and how many links it counts."""
    points = zip(
        overview.links.tolist(), overview.places.tolist(), overview.of.tolist(), strict=True
    )
    return {
        "count": overview.count,
        "points": [
            {"id": link, "x": round(x, DIGITS), "y": round(y, DIGITS), "cluster": cluster}
            for link, (x, y), cluster in points
        ],
        "clusters": [
            {
                "words": list(cluster.words),
                "count": cluster.count,
                "x": round(cluster.place[0], DIGITS),
                "y": round(cluster.place[1], DIGITS),
                "shown": list(cluster.shown),
            }
            for cluster in overview.clusters
        ],
    }


def atlas_page(
    title: str,
    subtitle: str,
    overview: Overview,
    pictures: Mapping[int, bytes],
    names: Mapping[int, str],
) -> str:
    """The page. It asks nobody for anything, and runs no script but its own.

    pictures   WebP, by link; of the others the page has only a dot
    names      what is told of a picture that is pointed at
    """
    told = {
        "atlas": atlas_data(overview),
        "pictures": {id: _address(data) for id, data in pictures.items()},
        "names": names,
    }
    code = f"\n{CODE.read_text('utf-8')}{_BEGIN}"
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return _PAGE.format(
        hash=digest,
        title=html.escape(title),
        subtitle=html.escape(subtitle),
        styles=STYLES.read_text("utf-8"),
        # A name may not end the element.
        told=json.dumps(told, separators=(",", ":")).replace("<", "\\u003c"),
        code=code,
    )


def _address(data: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"
