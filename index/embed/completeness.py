"""What a model lacks, told from its config.json and the names of its files, before a download.

Magpie needs both sides of a model, as features that can be compared, a vocabulary, and numbers by
which pictures are prepared.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from index.embed import tips

# What to do about a model that can't be read.
ADVICE = (
    "choose a CLIP, SigLIP, SigLIP 2, MetaCLIP 2 or TIPS v2 with a config.json; `magpie models` "
    "lists those worth choosing"
)
# Families that are known to have all of it, so that nothing heavy is imported to find out.
WHOLE = frozenset({"clip", "siglip", "siglip2", "metaclip_2", tips.FAMILY})
# Files that may hold the vocabulary. Without any, transformers would make an empty tokenizer.
TOKENIZERS = (
    *("tokenizer.json", "vocab.json", "vocab.txt"),
    *("spiece.model", "tokenizer.model", "sentencepiece.bpe.model"),
)
PREPROCESSING = ("preprocessor_config.json", "processor_config.json")
NO_TEXTS = "it has no text side, so it can't compare pictures with words"
NO_IMAGES = "it has no image side, so it can't look at pictures"


def lacking(config: dict[str, Any], files: Collection[str]) -> str | None:
    """What a model lacks, and what to do; None when nothing is known to be missing.

    config  its config.json      files  the names of the files beside it
    """
    found = _foreign(config) or _one_sided(config)
    if found:
        return f"{found}; {ADVICE}"
    if not any(name in files for name in TOKENIZERS):
        return f"its folder has no tokenizer ({TOKENIZERS[0]})"
    if config.get("model_type") != tips.FAMILY and not any(one in files for one in PREPROCESSING):
        return f"its folder doesn't say how pictures are prepared ({PREPROCESSING[0]})"
    return None


def _foreign(config: dict[str, Any]) -> str | None:
    kind = config.get("model_type") or "its architecture"
    # The files of TIPS v2 have such code from before transformers had the model.
    if "auto_map" in config and kind != tips.FAMILY:  # such as those of Jina and EVA
        return f"{kind} needs program code from its own folder, which Magpie doesn't run"
    if "model_type" not in config and "architecture" in config:
        return f"it is {config['architecture']}, a model of timm without a text side"
    if "model_type" not in config and "model_cfg" in config:
        return "it has the layout of OpenCLIP, and Magpie reads that of transformers"
    return None


def _one_sided(config: dict[str, Any]) -> str | None:
    """Which side is missing, as the names of its architecture say."""
    architectures = config.get("architectures") or ()
    names = [str(config.get("model_type", "")), *map(str, architectures)]
    if any(name.endswith("vision_model") or "VisionModel" in name for name in names):
        return NO_TEXTS
    if any(name.endswith(("text_model", "_text")) or "TextModel" in name for name in names):
        return NO_IMAGES
    return None


def lacking_in_transformers(config: dict[str, Any]) -> str | None:
    """What transformers lacks for this family, and what to do; None when nothing is missing."""
    family = str(config.get("model_type", ""))
    if family in WHOLE:
        return None
    found = _in_transformers(family, config)
    return f"{found}; {ADVICE}" if found else None


def _in_transformers(family: str, config: dict[str, Any]) -> str | None:
    import transformers
    from transformers.models.auto import image_processing_auto as untyped

    processors: Any = untyped.__dict__["IMAGE_PROCESSOR_MAPPING_NAMES"]
    if family not in transformers.CONFIG_MAPPING:
        named = family or "config.json names none"
        return f"transformers {transformers.__version__} doesn't know its architecture ({named})"
    settings = transformers.CONFIG_MAPPING[family]
    if settings not in transformers.MODEL_MAPPING:
        return f"transformers has no model for {family!r} that gives features"
    model: Any = transformers.MODEL_MAPPING[settings]
    texts, images = (hasattr(model, f"get_{what}_features") for what in ("text", "image"))
    if not texts and "vision_config" in config:
        return "transformers gives no features of words alone for it, only of whole conversations"
    if not texts:
        sees = {"patch_size", "num_channels", "image_size"} & set(config)
        return NO_TEXTS if images or sees else NO_IMAGES
    if not images:
        return NO_IMAGES
    if "pil" not in (processors.get(family) or {}):
        return "transformers prepares its pictures only with torchvision, which Magpie doesn't use"
    return None
