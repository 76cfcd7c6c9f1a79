"""The container's recipe, as far as it can be tried without a container."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RECIPE = (ROOT / "Dockerfile").read_text()


def argument(name: str) -> str:
    """The default of a build argument."""
    (default,) = re.findall(rf"^ARG {name}=(.*)$", RECIPE, re.MULTILINE)
    return str(default)


def test_the_cpu_build_of_torch_is_the_default_and_another_a_choice() -> None:
    assert argument("TORCH") == "cpu"
    (step,) = re.findall(
        r"^RUN (/opt/uv/bin/uv .*?\.\[ocr,postgres\]')$", RECIPE, re.MULTILINE | re.DOTALL
    )
    for variant in ("cpu", "cu130"):
        script = step.replace("/opt/uv/bin/uv", "echo")
        given = {**os.environ, "TORCH": variant}
        asked = subprocess.run(["sh", "-c", script], env=given, capture_output=True, text=True)
        assert (
            f" --torch-backend {variant} --constraint constraints.txt .[ocr,postgres]"
            in asked.stdout
        )


def test_no_other_step_brings_torch() -> None:
    steps = re.findall(r"^RUN .*?(?<!\\)$", RECIPE, re.MULTILINE | re.DOTALL)
    assert len(steps) > 3
    assert not [step for step in steps if "pip install" in step and "torch" in step][1:]


@pytest.mark.parametrize(("http", "status"), [("off", 0), ("127.0.0.1:1", 1)])
def test_the_health_check_reads_the_settings(tmp_path: Path, http: str, status: int) -> None:
    (command,) = re.findall(r"HEALTHCHECK .*?CMD (\[.*?\])", RECIPE, re.DOTALL)
    _, *arguments = json.loads(command)
    given = {**os.environ, "MAGPIE_HTTP": http, "PYTHONPATH": str(ROOT)}
    asked = subprocess.run([sys.executable, *arguments], env=given, cwd=tmp_path)
    assert asked.returncode == status
