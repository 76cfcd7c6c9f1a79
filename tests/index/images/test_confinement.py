"""What a decoder process can still do once it has settled: compute, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from checks.fuzzing import files
from index.images import confinement, decoders

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux has these limits")

with_seccomp = pytest.mark.skipif(
    confinement._libseccomp() is None, reason="libseccomp isn't installed"
)


def tried(folder: Path, *options: str) -> dict[str, str]:
    """What came of all that a decoder process tried after it had settled."""
    (folder / "kept").write_text("kept")
    folder.chmod(0o777)  # so that nothing but confinement refuses
    done = subprocess.run(
        [sys.executable, "-m", "tests.index.images.intruder", str(folder), *options],
        cwd=decoders.PACKAGES,
        env=decoders.environment(),
        stdout=subprocess.PIPE,
        timeout=120,
    )
    outcomes: dict[str, str] = json.loads(done.stdout)
    return outcomes


@with_seccomp
def test_a_decoder_that_was_taken_over_can_only_compute(tmp_path: Path) -> None:
    outcomes = tried(tmp_path)
    assert len(outcomes) == 17
    # It computes at the same limits, which hold for the whole process.
    assert {name for name, outcome in outcomes.items() if outcome == "done"} == {"start a thread"}
    assert (tmp_path / "kept").exists()
    assert not (tmp_path / "new").exists()


def test_without_seccomp_it_opens_nothing_and_starts_nothing(tmp_path: Path) -> None:
    outcomes = tried(tmp_path, "limits alone")
    assert len(outcomes) == 10
    assert {name for name, outcome in outcomes.items() if outcome == "done"} == set()


def test_a_decoder_at_work_has_given_everything_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "hunter2")
    decoders.close()
    decoders.decode(files.sound()["PNG"][0], 32)
    [decoder] = [decoder for some in decoders._idle.values() for decoder in some]
    place = Path(f"/proc/{decoder._process.pid}")
    assert b"hunter2" not in (place / "environ").read_bytes()
    limits = (place / "limits").read_text()
    for limit in ("file size", "core file size", "open files"):
        assert re.search(rf"^Max {limit} +0 +0 ", limits, re.M), limit
    assert re.search(rf"^Max address space +{decoders.MEMORY_BYTES} ", limits, re.M)
    status = (place / "status").read_text()
    assert re.search(r"^NoNewPrivs:\t1$", status, re.M)
    if confinement._libseccomp() is not None:
        assert re.search(r"^Seccomp:\t2$", status, re.M)  # a filter
    else:
        assert re.search(r"^Max processes +0 +0 ", limits, re.M)
    assert (place / "oom_score_adj").read_text().strip() == "1000"
