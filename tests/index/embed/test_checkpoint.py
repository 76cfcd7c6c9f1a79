"""Where a model is loaded from, and how it can be missing, damaged or too large."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from index.embed import checkpoint, embedder
from index.embed.completeness import lacking, lacking_in_transformers
from index.types.errors import ModelNotFound, ModelTooLarge, ModelUnreachable, ModelUnusable
from tests.index import hub


@pytest.fixture
def copy(tiny_clip: Path, tmp_path: Path) -> Path:
    """A copy of the tiny CLIP that may be damaged."""
    return shutil.copytree(tiny_clip, tmp_path / "copy")


def at_this_hub(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Ask a local hub, also for the files."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        address + "/{repo_id}/resolve/{revision}/{filename}",
    )


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, as on a machine that never downloaded a model."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    return tmp_path / "cache"


def test_a_copied_folder_is_the_same_model(tiny_clip: Path, copy: Path) -> None:
    found = checkpoint.find(str(tiny_clip))
    assert found.family == "clip"
    assert found.name == str(tiny_clip.resolve())
    assert checkpoint.find(str(copy)).revision == found.revision


def test_other_weights_are_another_revision(copy: Path) -> None:
    before = checkpoint.find(str(copy)).revision
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert checkpoint.find(str(copy)).revision != before


@pytest.mark.parametrize("name", ["./nothing/here", "/nothing/here", "a/b/c", "", "no such name!"])
def test_missing_model_is_named(name: str, empty_cache: Path) -> None:
    with pytest.raises(ModelNotFound) as missing:
        checkpoint.find(name)
    assert repr(name) in str(missing.value)


def test_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"no config\.json"):
        checkpoint.find(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelUnusable, match="no weights"):
        checkpoint.find(str(tmp_path))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelUnusable, match="can't be read"):
        checkpoint.find(str(tmp_path))


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (["open_clip_config.json", "open_clip_model.safetensors"], "layout of OpenCLIP"),
        (["open_clip_pytorch_model.bin"], "layout of OpenCLIP"),
        (["modules.json", "0_CLIPModel"], "sentence-transformers"),
    ],
)
@pytest.mark.parametrize("where", ["folder", "hub"])
def test_model_in_another_layout_is_told_with_what_to_do(
    where: str,
    files: list[str],
    told: str,
    tmp_path: Path,
    empty_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in files:
        (folder / name).write_text("{}")
    with hub.serving("some/model", folder) as (address, _):
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        with pytest.raises(ModelUnusable, match=f"{told}.*choose a CLIP"):
            checkpoint.find(str(folder) if where == "folder" else "some/model")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"model_type": "jina_clip", "auto_map": {"AutoModel": "x"}}, "jina_clip needs program"),
        ({"model_type": "clip", "auto_map": {"AutoModel": "x"}}, "clip needs program code"),
        ({"architecture": "eva02_base_patch14_224"}, "eva02_base_patch14_224, a model of timm"),
        ({"model_cfg": {"embed_dim": 512}}, "layout of OpenCLIP"),
        ({"model_type": "unheard_of"}, "doesn't know its architecture .unheard_of."),
        ({}, "doesn't know its architecture .config.json names none."),
        ({"model_type": "clip_vision_model"}, "no text side"),
        ({"model_type": "clip", "architectures": ["CLIPTextModelWithProjection"]}, "no image side"),
        ({"model_type": "altclip_text_model"}, "no image side"),
        ({"model_type": "dinov2", "patch_size": 14}, "no text side"),
        ({"model_type": "gemma3_text"}, "no image side"),  # EmbeddingGemma
        ({"model_type": "embedding_gemma2", "vision_config": {}}, "no features of words alone"),
    ],
)
@pytest.mark.parametrize("where", ["folder", "hub"])
def test_foreign_model_is_told_with_what_to_do(
    where: str,
    config: dict[str, object],
    told: str,
    copy: Path,
    empty_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the hub, its weights are not downloaded first."""
    (copy / "config.json").write_text(json.dumps(config))
    with hub.serving("some/model", copy) as (address, downloaded):
        at_this_hub(monkeypatch, address)
        with pytest.raises(ModelUnusable, match=f"{told}.*choose a CLIP"):
            embedder.load(checkpoint.find(str(copy) if where == "folder" else "some/model"))
    assert downloaded == (["config.json"] if where == "hub" else [])


@pytest.mark.parametrize(
    ("missing", "told"),
    [("tokenizer", "no tokenizer"), ("processor_config", "doesn't say how pictures are prepared")],
)
@pytest.mark.parametrize("where", ["folder", "hub"])
def test_missing_file_is_told_before_the_download(
    where: str,
    missing: str,
    told: str,
    copy: Path,
    empty_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for file in [*copy.glob(f"{missing}*"), *copy.glob(f"pre{missing}*")]:
        file.unlink()
    with hub.serving("some/model", copy) as (address, downloaded):
        at_this_hub(monkeypatch, address)
        with pytest.raises(ModelUnusable, match=told):
            checkpoint.find(str(copy) if where == "folder" else "some/model")
    assert "model.safetensors" not in downloaded


def test_tips_is_not_refused_for_the_code_beside_it() -> None:
    """It is from before transformers had the model, and nothing runs it."""
    config = {"model_type": "tipsv2", "auto_map": {"AutoModel": "x"}}
    assert lacking(config, {"tokenizer.model"}) is None
    assert lacking_in_transformers(config) is None


@pytest.mark.parametrize(("kept", "reason"), [(0.5, "is cut off"), (0.001, "was not copied")])
def test_truncated_weights_are_noticed(copy: Path, kept: float, reason: str) -> None:
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: int(weights.stat().st_size * kept)])
    with pytest.raises(ModelUnusable, match=reason):
        embedder.load(checkpoint.find(str(copy)))


def test_weights_of_another_model_are_noticed(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    config["vision_config"]["num_hidden_layers"] = 3
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelUnusable, match=r"lack \d+ of its layers"):
        embedder.load(checkpoint.find(str(copy)))


def test_missing_tokenizer_is_one_sentence(copy: Path) -> None:
    for file in copy.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(ModelUnusable) as unusable:
        embedder.load(checkpoint.find(str(copy)))
    assert "\n" not in str(unusable.value)


@pytest.mark.parametrize("device", ["cuda:7", "tpu-pod", "mps"])
def test_device_that_is_not_there_is_refused(tiny_clip: Path, device: str) -> None:
    with pytest.raises(ModelUnusable, match="cpu"):
        embedder.load(checkpoint.find(str(tiny_clip)), device)


# ---- the hub


def test_model_is_downloaded_once_and_found_without_network_later(
    tiny_clip: Path, tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = shutil.copytree(tiny_clip, tmp_path / "page")
    for unwanted in ("pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "README.md"):
        (page / unwanted).write_text("not needed")
    with hub.serving("birds/magpie-clip", page) as (address, downloaded):
        at_this_hub(monkeypatch, address)
        found = checkpoint.find("birds/magpie-clip")
        assert found.revision == checkpoint.find(str(tiny_clip)).revision
        assert sorted(downloaded) == sorted(file.name for file in tiny_clip.iterdir())
        with pytest.raises(ModelNotFound, match="birds/owl"):
            checkpoint.find("birds/owl")
    again = checkpoint.find("birds/magpie-clip")  # the hub is off now
    assert again == found


def test_no_network_is_one_sentence(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        with pytest.raises(ModelUnreachable, match="no connection to the hub"):
            checkpoint.find("openai/clip-vit-base-patch32")


# ---- memory


def test_model_larger_than_memory_is_refused_before_it_is_read(
    tiny_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "available_bytes", lambda: 1_000_000)
    with pytest.raises(ModelTooLarge, match=r"needs about 200 MB of memory and 1 MB are free"):
        checkpoint.check_memory(checkpoint.find(str(tiny_clip)))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no limit on addresses")
def test_limit_on_memory_is_one_sentence(tiny_clip: Path) -> None:
    code = f"""
import resource, sys
from index.embed import checkpoint, embedder
from index.types.errors import ModelTooLarge
used = checkpoint._kilobytes(checkpoint.Path("/proc/self/status"), "VmSize:")
resource.setrlimit(resource.RLIMIT_AS, (used + 100_000_000, -1))
try:
    embedder.load(checkpoint.find({str(tiny_clip)!r}))
except ModelTooLarge as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith(f"The model '{tiny_clip.resolve()}' needs about")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("config", "languages"),
    [
        ({"model_type": "clip", "text_config": {"vocab_size": 49_408}}, "english"),
        ({"model_type": "clip", "text_config": None}, "english"),
        ({"model_type": "siglip", "text_config": {"vocab_size": 32_000}}, "english"),
        ({"model_type": "siglip", "text_config": {"vocab_size": 256_000}}, "many"),  # SigLIP 2
        ({"model_type": "clip", "text_config": {"vocab_size": 250_002}}, "many"),  # XLM-R
        ({"model_type": "chinese_clip", "text_config": {"vocab_size": 21_128}}, "chinese"),
    ],
)
def test_the_vocabulary_tells_the_languages(config: dict[str, Any], languages: str) -> None:
    assert checkpoint.Checkpoint("", Path(), config, (), "").languages == languages
