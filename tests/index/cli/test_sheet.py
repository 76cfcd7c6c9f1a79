"""Contact sheets of files that can't be trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.cli import sheet
from tests.index.images import zoo


def test_a_decoder_that_complains_is_not_heard(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """libtiff writes about each flaw to the standard error of its process."""
    file = tmp_path / "noise.tif"
    file.write_bytes(zoo.tiffs()["noise in LZW"])
    assert sheet.thumbnail(file, 0) is None
    assert capfd.readouterr() == ("", "")
