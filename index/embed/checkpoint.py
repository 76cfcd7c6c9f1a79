"""Where a model's files are, which model they are, and whether it fits into memory.

This module doesn't import torch, so it answers before anything heavy is imported.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.embed.completeness import ADVICE, lacking, lacking_in_transformers
from index.types.errors import (
    ModelError,
    ModelNotFound,
    ModelTooLarge,
    ModelUnreachable,
    ModelUnusable,
    format_bytes,
)
from index.types.records import Languages

CONFIG = "config.json"
# Files that may hold the weights, in order of preference; the first that exists is used.
WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
# Files that only a model in OpenCLIP's layout has.
OPEN_CLIP = frozenset(
    {
        "open_clip_config.json",
        "open_clip_model.safetensors",
        "open_clip_pytorch_model.bin",
        "open_clip_pytorch_model.safetensors",
    }
)
# Endings of the other files that are downloaded: tokenizer and preprocessing.
BESIDE = (".json", ".txt", ".model")

# A fingerprint reads this many samples of the weights. Any training changes nearly all weights.
SAMPLES = 64
SAMPLE_BYTES = 4096

# Time limit for the hub's list of a model's files.
HUB_TIMEOUT_S = 20

# From so many pieces on, a vocabulary is one of many languages.
MANY_LANGUAGES = 100_000

# Memory beside the weights: a batch's activations, tokenizer, libraries.
WORKSPACE_BYTES = 200_000_000
FLOAT32_BYTES = 4


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model's folder on this machine."""

    name: str  # a hub name, or the folder's absolute path
    folder: Path
    config: dict[str, Any]
    weights: tuple[Path, ...]
    revision: str  # a fingerprint of the files

    @property
    def family(self) -> str:
        """The architecture, as transformers names it: "clip", "siglip"."""
        return str(self.config.get("model_type", ""))

    @property
    def languages(self) -> Languages:
        """Which languages its texts were in when it was trained, as its vocabulary tells.

        English CLIPs and SigLIPs have 32,000 to 50,000 pieces of words, those of many languages
        250,000 (XLM-R's, mT5's or Gemma's vocabulary).
        """
        if self.family.startswith("chinese"):
            return "chinese"
        text = self.config.get("text_config")
        pieces = text.get("vocab_size") if isinstance(text, dict) else None
        many = isinstance(pieces, int) and pieces >= MANY_LANGUAGES
        return "many" if many else "english"


def find(model: str) -> Checkpoint:
    """The checkpoint of this name: a folder, the hub's copy on this machine, or a download.

    raises   ModelNotFound, ModelUnreachable, ModelUnusable
    """
    folder = Path(model).expanduser()
    if model and folder.is_dir():
        return _in(folder.resolve(), str(folder.resolve()))
    if _looks_like_a_path(model):
        raise ModelNotFound(model)
    return _in(_of_hub(model), model)


def _looks_like_a_path(model: str) -> bool:
    return not model or model.startswith((".", "/", "~")) or "\\" in model or model.count("/") > 1


def _in(folder: Path, name: str) -> Checkpoint:
    try:
        config = _config(folder / CONFIG, name)
    except FileNotFoundError:
        found = _other_layout({file.name for file in folder.iterdir()})
        raise ModelUnusable(name, found or "its folder has no config.json") from None
    try:
        weights = _weights(folder)
        if not weights:
            raise ModelUnusable(name, f"its folder has no weights ({WEIGHTS[0]})")
        if found := lacking(config, {file.name for file in folder.iterdir()}):
            raise ModelUnusable(name, found)
        return Checkpoint(name, folder, config, weights, _fingerprint(folder, weights))
    except (OSError, ValueError, KeyError) as exc:
        raise ModelUnusable(name, f"its weights can't be read ({exc})") from exc


def _config(file: Path, name: str) -> dict[str, Any]:
    try:
        config = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as exc:
        raise ModelUnusable(name, f"its config.json can't be read ({exc})") from exc
    if not isinstance(config, dict):
        raise ModelUnusable(name, "its config.json is not a JSON object")
    return config


def _other_layout(files: set[str]) -> str | None:
    """What a model without config.json is, and what to do; None when its files don't tell."""
    if OPEN_CLIP & files:
        return f"it has the layout of OpenCLIP, and Magpie reads that of transformers; {ADVICE}"
    if "modules.json" in files:
        return f"it is a chain of models for sentence-transformers; {ADVICE}"
    return None


def _weights(folder: Path) -> tuple[Path, ...]:
    """The files that hold the weights; empty when there are none."""
    for name in WEIGHTS:
        file = folder / name
        if not file.is_file():
            continue
        if name.endswith(".index.json"):
            shards = json.loads(file.read_bytes())["weight_map"].values()
            return tuple(folder / shard for shard in sorted(set(shards)))
        return (file,)
    return ()


def _fingerprint(folder: Path, weights: tuple[Path, ...]) -> str:
    """A hash of the configuration and of samples of the weights; it takes milliseconds."""
    digest = hashlib.sha256()
    for name in (CONFIG, "preprocessor_config.json", "processor_config.json"):
        file = folder / name
        digest.update(file.read_bytes() if file.is_file() else b"")
    for file in weights:
        _sample(file, digest)
    return digest.hexdigest()[:32]


def _sample(file: Path, digest: Any) -> None:
    size = file.stat().st_size
    digest.update(struct.pack("<q", size))
    with file.open("rb") as stream:
        for i in range(SAMPLES):
            stream.seek(max(0, size - SAMPLE_BYTES) * i // (SAMPLES - 1))
            digest.update(stream.read(SAMPLE_BYTES))


# ---- the Hugging Face hub


def _of_hub(model: str) -> Path:
    """The hub's copy on this machine; else a download, with the hub's own progress bars."""
    local = _local_copy(model)
    return local if local is not None else _download(model)


def _local_copy(model: str) -> Path | None:
    """A complete copy on this machine, or None.

    It comes before the network, so a start needs no connection and always gets the same files.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(model, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except HFValidationError:
        raise ModelNotFound(model) from None
    try:
        weights = _weights(folder)
        files = (folder / CONFIG, *weights)
        is_complete = bool(weights) and all(file.is_file() for file in files)
    except (OSError, ValueError, KeyError):
        return None
    return folder if is_complete else None


def _download(model: str) -> Path:
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    hub_log = logging.getLogger("huggingface_hub")
    level = hub_log.level
    hub_log.setLevel(logging.ERROR)  # it logs each retry; the error in the end is ours
    try:
        # The model's page comes first: unlike a download, this request doesn't retry for half a
        # minute when there is no network.
        page = HfApi().model_info(model, timeout=HUB_TIMEOUT_S)
        files = [file.rfilename for file in page.siblings or ()]
        needed = _needed(model, files)
        config = _config(Path(hf_hub_download(model, CONFIG)), model)  # a few kilobytes
        if found := lacking(config, files) or lacking_in_transformers(config):
            raise ModelUnusable(model, found)
        return Path(snapshot_download(model, allow_patterns=needed))
    except GatedRepoError as exc:
        raise ModelUnreachable(model, "its owner asks for a log-in with `hf auth login`") from exc
    except RepositoryNotFoundError as exc:
        raise ModelNotFound(model) from exc
    except OfflineModeIsEnabled as exc:
        raise ModelUnreachable(model, "HF_HUB_OFFLINE is set") from exc
    except HfHubHTTPError as exc:
        status = getattr(getattr(exc, "response", None), "status_code", None)
        answer = f"the hub answered {status}" if status else "the hub doesn't answer"
        raise ModelUnreachable(model, answer) from exc
    except ModelError:
        raise
    except OSError as exc:
        if exc.strerror and exc.filename:
            raise ModelUnreachable(model, f"{exc.strerror.lower()} ({exc.filename})") from exc
        raise ModelUnreachable(model, "there is no connection to the hub") from exc
    except Exception as exc:  # errors of its HTTP library, which it has changed before
        raise ModelUnreachable(model, "there is no connection to the hub") from exc
    finally:
        hub_log.setLevel(level)


def _needed(model: str, files: list[str]) -> list[str]:
    """The files in the top folder that the model is loaded from, with one format of weights."""
    top = [file for file in files if "/" not in file]
    index = next((name for name in WEIGHTS if name in top), None)
    if index is None or CONFIG not in top:
        lacks = "its page on the hub has no config.json and weights"
        raise ModelUnusable(model, _other_layout(set(top)) or lacks)
    stem, kind = index.split(".")[0], Path(index.removesuffix(".index.json")).suffix
    weights = [file for file in top if file.startswith(stem) and file.endswith(kind)]
    beside = [f for f in top if f.endswith(BESIDE) and not f.endswith(".index.json")]
    return weights + beside + ([index] if index.endswith(".json") else [])


# ---- memory


def check_memory(checkpoint: Checkpoint) -> None:
    """Refuse a model that doesn't fit, before the system kills the process for lack of memory.

    raises   ModelTooLarge
    """
    needed = needed_bytes(checkpoint)
    available = available_bytes()
    if available is not None and needed > available:
        raise ModelTooLarge(checkpoint.name, needed, available)


def needed_bytes(checkpoint: Checkpoint) -> int:
    """The memory that the model takes as float32, computed from the headers of its weights.

    raises   ModelUnusable when a header is damaged or a file is cut off
    """
    parameters = sum(_parameters_in(checkpoint.name, file) for file in checkpoint.weights)
    return parameters * FLOAT32_BYTES + WORKSPACE_BYTES


def _parameters_in(name: str, file: Path) -> int:
    if file.suffix != ".safetensors":
        return file.stat().st_size // FLOAT32_BYTES
    try:
        tensors, start = header(file)
    except ValueError as exc:
        raise ModelUnusable(name, str(exc)) from exc
    size = file.stat().st_size
    end = max((tensor["data_offsets"][1] for tensor in tensors.values()), default=0)
    if start + end > size:
        full = format_bytes(start + end)
        raise ModelUnusable(name, f"{file.name} is cut off: it has {format_bytes(size)} of {full}")
    return sum(math.prod(tensor["shape"]) for tensor in tensors.values())


def header(file: Path) -> tuple[dict[str, Any], int]:
    """The tensors of a safetensors file by name, and the offset of its data.

    raises   OSError; ValueError, with a reason, when it is damaged
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else size
        if length > size - 8:
            raise ValueError(f"{file.name} is damaged or was not copied to its end")
        try:
            tensors: dict[str, Any] = json.loads(stream.read(length))
        except ValueError as exc:
            raise ValueError(f"{file.name} is damaged") from exc
    tensors.pop("__metadata__", None)
    return tensors, 8 + length


def available_bytes() -> int | None:
    """Bytes of memory that this process may still take; None where the system doesn't say."""
    known = [free for free in (_of_machine(), _of_container(), _of_limit()) if free is not None]
    return min(known, default=None)


def _of_machine() -> int | None:
    return _kilobytes(Path("/proc/meminfo"), "MemAvailable:")


def _of_container() -> int | None:
    """What the control group leaves free. Its page cache counts as free."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text().strip()
        if limit == "max":
            return None
        used = int((group / "memory.current").read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return max(0, int(limit) - used + int(stat.get("inactive_file", 0)))
    except (OSError, ValueError):
        return None


def _of_limit() -> int | None:
    """What `ulimit -v` leaves free."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    used = _kilobytes(Path("/proc/self/status"), "VmSize:")
    if limit == resource.RLIM_INFINITY or used is None:
        return None
    return max(0, limit - used)


def _kilobytes(file: Path, field: str) -> int | None:
    try:
        lines = file.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith(field)), None)
    return int(found.split()[1]) * 1024 if found else None


def cpu_count() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
