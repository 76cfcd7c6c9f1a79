"""What operators copy: the unit, compose.yaml, the alerts and the dashboard fit the bot."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.ops.metrics import Metrics, WorkerMetrics
from bot.ops.settings import DEFAULTS
from index.images import confinement
from index.types.address import fault_of

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
RECIPE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
ON_POSTGRES: dict[str, Any] = yaml.safe_load((ROOT / "compose.postgres.yaml").read_text())
UNIT = (DEPLOY / "magpie.service").read_text()
OF_LIBRARIES = {"HF_HOME", "XDG_CACHE_HOME"}  # variables that others read
# What Prometheus itself adds to each sample.
ADDED = {"job", "instance", "le"}
LABELS = re.compile(r"\{([^}]*)\}|\bby \(([^)]*)\)")


# ---- Prometheus and Grafana


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
    return list(group["rules"])


def panels() -> list[dict[str, Any]]:
    return list(json.loads((DEPLOY / "grafana.json").read_text())["panels"])


def expressions() -> Iterator[tuple[str, str]]:
    """Where an expression stands, and itself as Prometheus reads it."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "5m").replace("$job", ".+")
            yield panel["title"], expression


def exported() -> dict[str, set[str]]:
    """The names of all samples that a bot or a worker can export, each with its labels."""
    names = dict[str, set[str]]()
    for registered in (Metrics(), WorkerMetrics()):
        for family in registered.registry.collect():
            endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
            for ending in endings.get(family.type, [""]):
                names.setdefault(family.name + ending, set(ADDED))
        for metric in vars(registered).values():
            if labels := getattr(metric, "_labelnames", ()):
                for name in names:
                    if name.startswith(metric._name):
                        names[name] |= set(labels)
    return names


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_what_is_asked_of_prometheus_is_exported(where: str, expression: str) -> None:
    names = exported()
    found = re.findall(r"\b(?:magpie|process)_\w+", expression)
    assert found or "up{" in expression
    for name in found:
        assert name in names, name
    labels = {
        label.split("=")[0].strip("~! ")
        for within in LABELS.findall(expression)
        for label in ",".join(within).split(",")
        if label.strip()
    }
    assert labels <= set.union(ADDED, *(names[name] for name in found))


def test_the_dashboard_shows_all_that_bots_and_workers_measure() -> None:
    shown = " ".join(expression for _, expression in expressions())
    ours = {name for name in exported() if name.startswith("magpie_")}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in ours}
    assert {family for family in families if family not in shown} == set()


def test_the_dashboard_has_places_for_its_panels() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        x, y, w, h = (panel["gridPos"][side] for side in "xywh")
        cells = {(column, row) for column in range(x, x + w) for row in range(y, y + h)}
        assert not cells & taken, panel["title"]
        assert x + w <= 24
        taken |= cells
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_the_rules_alert_about_each_thing_once_and_say_what_to_do() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules()) > 5
    for rule in rules():
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["description"].endswith(".")


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool isn't installed (prometheus)")
def test_promtool_takes_the_rules_and_the_dashboard(tmp_path: Path) -> None:
    asked = [{"alert": f"a{n}", "expr": text} for n, (_, text) in enumerate(expressions())]
    shown = tmp_path / "dashboard.yml"
    shown.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": asked}]}))
    for command in (
        ["check", "rules", "alerts.yml", str(shown)],
        ["test", "rules", "alerts.test.yml"],
    ):
        done = subprocess.run(["promtool", *command], cwd=DEPLOY, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


# ---- the container


def test_compose_keeps_what_the_container_keeps() -> None:
    service = COMPOSE["services"]["magpie"]
    worker = COMPOSE["services"]["worker"]
    assert (worker["image"], worker["profiles"]) == (service["image"], ["workers"])
    assert set(worker["environment"]) <= set(DEFAULTS)
    assert (ROOT / service["build"]["context"] / "Dockerfile").exists()
    for argument in service["build"]["args"]:
        assert f"ARG {argument}=" in RECIPE
    (volume,) = re.findall(r"^VOLUME (\S+)$", RECIPE, re.M)
    assert service["volumes"] == [f"{next(iter(COMPOSE['volumes']))}:{volume}"]
    settings = service["environment"]
    assert set(settings) <= set(DEFAULTS)
    assert all(f"{key}={value}" in RECIPE for key, value in settings.items())
    (port,) = re.findall(r"^EXPOSE (\d+)$", RECIPE, re.M)
    assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert service["env_file"] == ".env"
    (folder, cache) = re.findall(r"(?:HF_HOME|XDG_CACHE_HOME)=(\S+)", RECIPE)
    assert folder.startswith(volume)  # the rest of the container can't be written
    assert cache.startswith(volume)
    assert service["read_only"]


def test_compose_on_postgres_changes_services_that_there_are() -> None:
    services = ON_POSTGRES["services"]
    assert set(COMPOSE["services"]) <= set(services)
    added = set(services) - set(COMPOSE["services"])
    assert added == {"postgres", "prometheus", "grafana"}
    assert all("image" in services[name] for name in added)
    for name in COMPOSE["services"]:
        assert set(services[name]["environment"]) <= set(DEFAULTS)
        assert set(services[name]["depends_on"]) <= set(services)


def test_compose_on_postgres_gives_all_the_same_database() -> None:
    services = ON_POSTGRES["services"]
    database = services["postgres"]["environment"]
    address = (
        f"postgresql://{database['POSTGRES_USER']}:{database['POSTGRES_PASSWORD']}"
        f"@postgres/{database['POSTGRES_DB']}"
    )
    password = re.compile(r"\$\{\w+:\?[^}]*\}")
    assert password.fullmatch(database["POSTGRES_PASSWORD"])  # none that is the same everywhere
    assert fault_of(password.sub("secret", address)) is None
    given = {**services["magpie"]["environment"], **services["worker"]["environment"]}
    assert given == {"MAGPIE_DB": address, "MAGPIE_WORKERS": address}
    assert "ports" not in services["postgres"]


def test_compose_on_postgres_mounts_what_there_is() -> None:
    kept = set()
    for service in ON_POSTGRES["services"].values():
        for source, *_ in (volume.split(":") for volume in service.get("volumes", ())):
            if source.startswith("."):
                assert (ROOT / source).exists(), source
            else:
                kept.add(source)
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")
    assert kept == set(ON_POSTGRES["volumes"])


def test_prometheus_and_grafana_ask_services_that_there_are() -> None:
    services = {**COMPOSE["services"], **ON_POSTGRES["services"]}
    asked = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    magpie, workers = asked["scrape_configs"]
    _, port = COMPOSE["services"]["magpie"]["environment"]["MAGPIE_HTTP"].split(":")
    assert magpie["job_name"] == "magpie"  # the alerts suppose it
    assert magpie["static_configs"] == [{"targets": [f"magpie:{port}"]}]
    (found,) = workers["dns_sd_configs"]
    assert set(found["names"]) <= set(services)
    assert str(found["port"]) == port
    mounted = " ".join(services["prometheus"]["volumes"])
    assert all(f"/etc/prometheus/{file}" in mounted for file in asked["rule_files"])
    folder = DEPLOY / "grafana-provisioning"
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yml").read_text())["datasources"]
    assert source["url"].removeprefix("http://").split(":")[0] in services
    (provider,) = yaml.safe_load((folder / "dashboards/magpie.yml").read_text())["providers"]
    assert f":{provider['options']['path']}/magpie.json:" in " ".join(
        services["grafana"]["volumes"]
    )


# ---- systemd


def unit() -> dict[str, list[str]]:
    """The values of the unit's settings, by name."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT, re.M):
        found.setdefault(name, []).append(value)
    return found


def test_the_unit_names_settings_and_folders_that_there_are() -> None:
    names = unit()
    given = dict(one.split("=", 1) for one in names["Environment"])
    assert set(given) <= set(DEFAULTS) | OF_LIBRARIES
    writable = (
        f"/var/lib/{names['StateDirectory'][0]}/",
        f"/var/cache/{names['CacheDirectory'][0]}",
    )
    assert all(path.startswith(writable) for path in given.values())
    (command,) = names["ExecStart"]
    assert command.endswith("/.venv/bin/python -m bot")
    # Loops are compiled while the bot runs.
    assert "MemoryDenyWriteExecute" not in names


def calls(group: str) -> set[str]:
    """The system calls of a group of systemd's."""
    asked = ["systemd-analyze", "syscall-filter", group]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    names = [line.split("#")[0].strip() for line in said.splitlines()[1:]]
    return {
        call for name in names if name for call in (calls(name) if name.startswith("@") else {name})
    }


def allowed() -> list[str]:
    """The system calls that the unit leaves to the bot."""
    left: set[str] = set()
    for line in unit()["SystemCallFilter"]:
        names = {
            call
            for name in line.removeprefix("~").split()
            for call in (calls(name) if name.startswith("@") else {name})
        }
        left = left - names if line.startswith("~") else left | names
    return sorted(left)


with_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd isn't installed"
)


@with_systemd
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    here = tmp_path / "magpie.service"
    here.write_text(re.sub(r"/opt/magpie/\.venv/bin/python", sys.executable, UNIT))
    done = subprocess.run(["systemd-analyze", "verify", here], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


# Runs in a process of its own: takes away what the unit takes away, then decodes a picture.
WITHIN = """
import ctypes, io, sys
from PIL import Image
seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
rules = ctypes.c_void_p(seccomp.seccomp_init(0x00050000 | 1))
for name in sys.argv[2:]:
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    if number >= 0:
        seccomp.seccomp_rule_add_array(rules, 0x7FFF0000, number, 0, None)
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
assert seccomp.seccomp_load(rules) == 0
from index.images import decoders
file = io.BytesIO()
Image.new("RGB", (64, 48), "red").save(file, "PNG")
decoded = decoders.decode(file.getvalue(), 32, "free")
print(decoded.width, decoded.height, flush=True)
from tests.index.images.intruder import main
main(sys.argv[1], False)
"""


@pytest.mark.slow
@with_systemd
@pytest.mark.skipif(confinement._libseccomp() is None, reason="libseccomp isn't installed")
def test_decoders_decode_within_the_unit_and_still_give_up_the_rest(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    command = [sys.executable, "-c", WITHIN, str(tmp_path), *allowed()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    size, _, outcomes = done.stdout.partition("\n")
    assert size == "64 48", done.stderr
    done_after_all = [name for name, came in json.loads(outcomes).items() if came == "done"]
    assert done_after_all == ["start a thread"]
