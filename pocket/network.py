"""The model: a small transformers CLIP, and the heads that help it learn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

from index.embed import packed
from pocket.artwork import KINDS, Subject
from pocket.captions import Caption
from pocket.places import PLACES
from pocket.scenes import COLOURS, FRAME, Scene
from pocket.tokenizer import CONTEXT

MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)  # for pixel values from 0 to 1
MAX_COUNT = 5


def build(vocabulary: int, *, patch: int = 16, width: int = 192, layers: int = 4) -> CLIPModel:
    """A CLIP with new weights. Token 0 starts a text, token 1 ends and pads it."""
    vision = CLIPVisionConfig(
        image_size=FRAME,
        patch_size=patch,
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        projection_dim=256,
        hidden_act="gelu",
    )
    text = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=160,
        intermediate_size=640,
        num_hidden_layers=2,
        num_attention_heads=5,
        max_position_embeddings=CONTEXT,
        projection_dim=256,
        hidden_act="gelu",
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    model = CLIPModel(
        CLIPConfig(
            text_config=text.to_dict(),
            vision_config=vision.to_dict(),
            projection_dim=256,
            logit_scale_init_value=2.6,
        )
    )
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2 and "embedding" not in name:
            # CLIP's own initial weights are too small at this width.
            nn.init.xavier_uniform_(parameter)
        elif "patch_embedding" in name:
            nn.init.normal_(parameter, std=1 / math.sqrt(3 * patch * patch))
    mimetic_initialization(model)
    return model


def mimetic_initialization(model: CLIPModel) -> None:
    """Set initial weights: position waves, and attention to similar rows.

    source     Trockman and Kolter, Mimetic Initialization of Self-Attention Layers (2023)
    """
    vision = model.vision_model
    table = vision.embeddings.position_embedding.weight
    side = math.isqrt(len(table) - 1)
    with torch.no_grad():
        table[1:] = 0.5 * position_waves(side, table.shape[1])
        table[0] = 0
        for layer in vision.encoder.layers:
            attention = layer.self_attn
            width = attention.q_proj.weight.shape[0]
            heads = attention.num_heads
            size = width // heads
            for head in range(heads):
                rows = slice(head * size, (head + 1) * size)
                alike = 0.7 * torch.randn(width, width) / math.sqrt(width) + 0.7 * torch.eye(width)
                u, s, v = torch.linalg.svd(alike)
                root = s[:size].sqrt()
                attention.q_proj.weight[rows] = (u[:, :size] * root).T
                attention.k_proj.weight[rows] = root[:, None] * v[:size]
            back = 0.4 * torch.randn(width, width) / math.sqrt(width) - 0.4 * torch.eye(width)
            u, s, v = torch.linalg.svd(back)
            attention.v_proj.weight.copy_(s.sqrt()[:, None] * v)
            attention.out_proj.weight.copy_(u * s.sqrt())


class _HalfProduct(torch.autograd.Function):
    """x @ weight.T with bfloat16 factors and float32 sums, forwards and backwards."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        rows, half = x.reshape(-1, x.shape[-1]).bfloat16(), weight.bfloat16()
        ctx.save_for_backward(rows, half)
        return (rows @ half.T).float().view(*x.shape[:-1], len(weight))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        rows, half = ctx.saved_tensors
        (grad,) = grads
        back = grad.reshape(-1, grad.shape[-1]).bfloat16()
        return (back @ half).float().view(*grad.shape[:-1], half.shape[1]), (back.T @ rows).float()


def product(x: Tensor, weight: Tensor) -> Tensor:
    """x @ weight.T, in bfloat16 where the processor multiplies it. (…, in) -> (…, out)"""
    if packed.supported("bfloat16"):
        answer: Tensor = _HalfProduct.apply(x, weight)  # type: ignore[no-untyped-call]
        return answer
    return x @ weight.T


class HalfLinear(nn.Linear):
    """A layer that keeps float32 weights and multiplies by `product`.

    Everything between the products stays float32. autocast also halves that, which gained no time.
    """

    def forward(self, input: Tensor) -> Tensor:
        answer = product(input, self.weight)
        return answer if self.bias is None else answer + self.bias


def halve_products(model: nn.Module) -> None:
    """Make all linear layers of `model` multiply by `product`, in place."""
    for module in model.modules():
        if type(module) is nn.Linear:
            module.__class__ = HalfLinear


def position_waves(side: int, width: int) -> Tensor:
    """Sines and cosines of row and column, (side * side, width)."""
    rates = torch.exp(torch.arange(width // 4) / (width // 4) * -math.log(100.0)) * 2.5
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    parts = []
    for where in (row.reshape(-1, 1), column.reshape(-1, 1)):
        parts += [torch.sin(where * rates), torch.cos(where * rates)]
    return torch.cat(parts, dim=1)


class Heads(nn.Module):
    """A prototype for each subject, kind, place, colour and count, in the shared space.

    Both towers learn to find the prototypes of what they saw or read. So a picture's vector becomes
    a sum of its parts, in which the subject stays visible beside the place.
    """

    def __init__(self, subjects: int, dimension: int = 256, width: int = 192) -> None:
        super().__init__()
        self.patches = nn.Linear(width, subjects)  # which subject is in each patch
        self.direct = nn.Linear(width, subjects)  # before the projection, where it learns fastest
        sizes = {
            "subject": subjects,
            "kind": len(KINDS),
            "place": len(PLACES),
            "colour": len(COLOURS),
            "count": MAX_COUNT,
        }
        self.prototypes = nn.ParameterDict(
            {name: nn.Parameter(torch.randn(n, dimension)) for name, n in sizes.items()}
        )
        self.scale = nn.ParameterDict({name: nn.Parameter(torch.tensor(2.7)) for name in sizes})

    def logits(self, name: str, embeddings: Tensor) -> Tensor:
        """Scaled cosine similarities to the prototypes, (n, d) -> (n, classes)."""
        prototypes = F.normalize(self.prototypes[name], dim=-1)
        scale: Tensor = self.scale[name].exp().clamp(max=60)
        return embeddings @ prototypes.T * scale


@dataclass(slots=True)
class Claims:
    """What pictures show or captions claim: (n, classes) each, 1 where it is true."""

    subject: Tensor
    kind: Tensor
    place: Tensor
    colour: Tensor
    count: Tensor

    def __getitem__(self, name: str) -> Tensor:
        value = getattr(self, name)
        assert isinstance(value, Tensor)
        return value


def many_hot(rows: Sequence[Sequence[int]], classes: int) -> Tensor:
    hot = np.zeros((len(rows), classes), np.float32)
    for n, row in enumerate(rows):
        hot[n, list(row)] = 1
    return torch.from_numpy(hot)


def claims_of(items: Sequence[Scene] | Sequence[Caption], subjects: Sequence[Subject]) -> Claims:
    """The claims of scenes, which are complete, or of captions, which name only some."""
    colours, kinds = list(COLOURS), list(KINDS)
    place_rows = [[PLACES.index(p) for p in item.places] for item in items]
    kind_rows = []
    for item in items:
        if isinstance(item, Caption):
            kind_rows.append([kinds.index(item.kind)] if item.kind else [])
        else:
            found = {subjects[s].kind for s in item.subjects}
            kind_rows.append([kinds.index(kind) for kind in found if kind])
    return Claims(
        subject=many_hot([item.subjects for item in items], len(subjects)),
        kind=many_hot(kind_rows, len(kinds)),
        place=many_hot(place_rows, len(PLACES)),
        colour=many_hot(
            [[colours.index(item.colour)] if item.colour else [] for item in items], len(colours)
        ),
        count=many_hot([[item.count - 1] if item.count else [] for item in items], MAX_COUNT),
    )


def fits(captions: Claims, pictures: Claims) -> Tensor:
    """Which captions also fit which pictures, (captions, pictures) bool.

    A colour in a caption may by chance be the colour of an undyed drawing. Such a pair counts as
    fitting, so that it is neither right nor wrong.
    """
    missing = torch.zeros(len(captions.subject), len(pictures.subject))
    for name in ("subject", "kind", "place", "count"):
        claim, truth = captions[name], pictures[name]
        missing += claim.sum(1, keepdim=True) - claim @ truth.T
    dyed = pictures.colour.sum(1)  # (pictures,)
    missing += (captions.colour.sum(1, keepdim=True) - captions.colour @ pictures.colour.T) * dyed
    return missing < 0.5


def same(pictures: Claims) -> Tensor:
    """Which pictures show the same subjects in the same places, (pictures, pictures) bool."""
    shown = torch.cat([pictures.subject, pictures.place], dim=1)
    return torch.cdist(shown, shown, p=1) < 0.5


def contrastive_loss(images: Tensor, texts: Tensor, scale: Tensor, fitting: Tensor) -> Tensor:
    """The contrastive loss in both directions; other pairs that also fit don't count as wrong.

    images, texts  (n, d) unit rows, row i a pair        fitting  (texts, images) bool
    """
    logits = scale * images @ texts.T  # (images, texts)
    own = torch.eye(len(images), dtype=torch.bool)
    logits = logits.masked_fill(fitting.T & ~own, float("-inf"))
    target = torch.arange(len(images))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def twin_loss(images: Tensor, scale: float, alike: Tensor) -> Tensor:
    """The loss that brings a picture near its twin, away from pictures that show something else.

    images     (n, d) unit rows; rows 2i and 2i + 1 are twins
    alike      (n, n) bool, which pictures show the same, and so are neither right nor wrong
    source     Chen et al., A Simple Framework for Contrastive Learning (2020)
    """
    count = len(images)
    twin = torch.arange(count) ^ 1
    aside = alike.clone()
    aside[torch.arange(count), twin] = False
    aside.fill_diagonal_(True)
    return F.cross_entropy((scale * images @ images.T).masked_fill(aside, float("-inf")), twin)


def prototype_loss(heads: Heads, name: str, embeddings: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy to the named prototypes, over the rows that name at least one."""
    return shared_cross_entropy(heads.logits(name, embeddings), truth)


def shared_cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy with several true classes, over the rows that have at least one."""
    rows = truth.sum(1) > 0
    if not bool(rows.any()):
        return logits.sum() * 0
    target = truth[rows] / truth[rows].sum(1, keepdim=True)
    return F.cross_entropy(logits[rows], target)
