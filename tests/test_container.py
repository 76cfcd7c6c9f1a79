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


def build_of_torch(variant: str) -> subprocess.CompletedProcess[str]:
    """Run the step that installs torch, with a pip that only says what it was asked for."""
    (step,) = re.findall(r"^RUN (case .*?esac)$", RECIPE, re.MULTILINE | re.DOTALL)
    script = step.replace("/opt/magpie/bin/pip", "echo pip")
    given = {**os.environ, "TORCH": variant, "TORCH_CPU": argument("TORCH_CPU")}
    return subprocess.run(["sh", "-c", script], env=given, capture_output=True, text=True)


def test_the_cpu_build_of_torch_is_the_default() -> None:
    assert argument("TORCH") == "cpu"
    asked = build_of_torch(argument("TORCH")).stdout
    assert asked.startswith(f"pip install --index-url {argument('TORCH_CPU')} --no-deps")
    assert argument("TORCH_CPU").endswith("/cpu")
    assert asked.endswith("torch\n")


def test_cuda_is_a_choice_and_another_word_is_refused() -> None:
    cuda = build_of_torch("cuda")
    assert (cuda.returncode, cuda.stdout) == (0, ""), "the package index gives that build"
    other = build_of_torch("gpu")
    assert other.returncode != 0
    assert "TORCH must be cpu or cuda" in other.stderr


@pytest.mark.parametrize(("http", "status"), [("off", 0), ("127.0.0.1:1", 1)])
def test_the_health_check_reads_the_settings(tmp_path: Path, http: str, status: int) -> None:
    (command,) = re.findall(r"HEALTHCHECK .*?CMD (\[.*?\])", RECIPE, re.DOTALL)
    _, *arguments = json.loads(command)
    given = {**os.environ, "MAGPIE_HTTP": http, "PYTHONPATH": str(ROOT)}
    asked = subprocess.run([sys.executable, *arguments], env=given, cwd=tmp_path)
    assert asked.returncode == status
