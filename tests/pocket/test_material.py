"""Scenes and captions: seeded, and a caption claims only what its scene shows."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pocket.artwork import LANGUAGES, Subject
from pocket.captions import Caption, CaptionWriter, mistyped, plural
from pocket.material import GRID, NOBODY, held_out, standing_map
from pocket.network import build, claims_of, contrastive_loss, fits, product, same, twin_loss
from pocket.places import PLACES, paint
from pocket.scenes import (
    FRAME,
    OVERLAYS,
    Scene,
    Spot,
    backdrop,
    compose,
    layout,
    recoloured,
    restyled,
)
from pocket.train import CheckpointError, Settings, embedded_patches, look, read_checkpoint
from pocket.wording import COLOUR_WORDS, FORMS, KIND_WORDS, PLACE_PHRASES, PLACE_WORDS

SUBJECTS = [
    Subject("dog", ("🐕",), "animal", dict.fromkeys(LANGUAGES, ("dog", "puppy")), ()),
    Subject("car", ("🚗",), "vehicle", dict.fromkeys(LANGUAGES, ("car",)), ()),
    Subject("cat", ("🐈",), "animal", dict.fromkeys(LANGUAGES, ("cat",)), ()),
]


def disc(side: int = 48) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    yy, xx = np.mgrid[0:side, 0:side] - side // 2
    pixels = np.full((side, side, 4), 200, np.uint8)
    pixels[..., 3] = 255 * (np.hypot(xx, yy) < side // 2 - 1)
    return pixels


@pytest.mark.parametrize("place", PLACES)
def test_same_seed_paints_the_same_place(place: str) -> None:
    first, second, other = (
        np.asarray(paint(place, (80, 60), np.random.default_rng(seed))) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_weather_changes_the_place(overlay: str) -> None:
    place = OVERLAYS[overlay][0]
    bare = np.asarray(backdrop(place, None, (80, 60), np.random.default_rng(1)), np.float32)
    under = np.asarray(backdrop(place, overlay, (80, 60), np.random.default_rng(1)), np.float32)
    assert np.abs(bare - under).mean() > 5


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_every_drawing_is_inside_the_picture(count: int) -> None:
    rng = np.random.default_rng(count)
    spots = layout(Scene((0,), "plain", count), rng)
    ground = paint("plain", (96, 96), np.random.default_rng(0))
    picture = compose(ground, [disc()] * count, spots, rng)
    assert len(spots) == count
    assert all(0 < spot.x < 1 and spot.foot <= 1 and spot.foot > spot.side * 0.8 for spot in spots)
    assert not np.array_equal(np.asarray(picture), np.asarray(ground))


def test_dyeing_keeps_the_outline() -> None:
    dyed = recoloured(disc(), "red")
    assert np.array_equal(dyed[..., 3], disc()[..., 3])
    assert dyed[24, 24, 0] > dyed[24, 24, 1]


def test_a_tenth_of_the_pairs_is_held_out_and_never_the_plain_ones() -> None:
    names = [f"thing {n}" for n in range(300)]
    kept = [held_out(name, place) for name in names for place in PLACES[:-1]]
    assert 0.07 < np.mean(kept) < 0.13
    assert not any(held_out(name, "plain") for name in names)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_words_for_everything(language: str) -> None:
    for table in (PLACE_PHRASES, PLACE_WORDS, COLOUR_WORDS, KIND_WORDS):
        assert table[language].keys() == table["en"].keys()
        assert all(all(words) for words in table[language].values())
    assert FORMS[language].keys() == FORMS["en"].keys()


def test_captions_claim_only_what_the_scene_shows() -> None:
    writer, rng = CaptionWriter(SUBJECTS), np.random.default_rng(3)
    for scene in (
        Scene((0,), "snow"),
        Scene((0, 1), "beach", overlay="night"),
        Scene((1,), "city", 3, "red"),
    ):
        shown = claims_of([scene], SUBJECTS)
        captions = [writer.write(scene, rng) for _ in range(300)]
        assert bool(fits(claims_of(captions, SUBJECTS), shown).all())
        assert {caption.language for caption in captions} == set(LANGUAGES)
        assert all(caption.text.strip() for caption in captions)


def test_fitting_pictures_are_distinguished_from_others() -> None:
    pictures = claims_of(
        [Scene((0,), "snow"), Scene((0,), "beach"), Scene((2,), "snow"), Scene((1,), "snow", 2)],
        SUBJECTS,
    )
    captions = claims_of(
        [
            Caption("dog", (0,)),
            Caption("dog in snow", (0,), None, ("snow",)),
            Caption("an animal", (), "animal"),
            Caption("snow", (), None, ("snow",)),
            Caption("two cars", (1,), None, (), 2),
        ],
        SUBJECTS,
    )
    assert fits(captions, pictures).tolist() == [
        [True, True, False, False],
        [True, False, False, False],
        [True, True, True, False],
        [True, False, True, True],
        [False, False, False, True],
    ]


def test_another_fitting_caption_does_not_count_as_wrong() -> None:
    vectors = torch.nn.functional.normalize(torch.ones(2, 4), dim=1)
    alike = contrastive_loss(vectors, vectors, torch.tensor(10.0), torch.ones(2, 2).bool())
    rivals = contrastive_loss(vectors, vectors, torch.tensor(10.0), torch.eye(2).bool())
    assert float(alike) == pytest.approx(0)
    assert float(rivals) == pytest.approx(np.log(2))


def test_plurals_and_typing_errors() -> None:
    assert [plural(w) for w in ("fox", "cherry", "wolf", "fireman", "sheep", "glasses")] == [
        "foxes", "cherries", "wolves", "firemen", "sheep", "glasses",
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    assert all(abs(len(mistyped("penguin", rng)) - 7) <= 1 for _ in range(50))


def test_checkpoint_of_other_settings_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"settings": '{"seed": 1}'}, path)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match="made with other settings"):
        read_checkpoint(path, Settings())
    assert path.read_bytes() == before


def test_damaged_checkpoint_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"PK\x03\x04 half of it")
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(path, Settings())
    assert path.exists()


def test_resuming_without_a_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint"):
        read_checkpoint(tmp_path / "checkpoint.pt", Settings())


def test_patches_have_their_subjects() -> None:
    spots = [Spot(0.25, 0.9, 0.4), Spot(0.75, 0.95, 0.4)]
    grid = standing_map(spots, [(96, 96, 4), (96, 48, 4)], [7, 3])
    assert set(grid[3:5, 0:3].flatten()) == {7}
    assert grid[4, 4] == 3
    assert (grid[:2] == NOBODY).all()


def test_image_tower_on_all_patches_is_the_tower_of_transformers() -> None:
    model = build(600)
    values = torch.randn(2, 3, FRAME, FRAME)
    nobody = torch.full((2, GRID * GRID), NOBODY)
    with torch.inference_mode():
        usual = model.get_image_features(pixel_values=values).pooler_output
        ours = look(model, values, nobody, 1.0).embeddings
    usual = torch.nn.functional.normalize(usual, dim=-1)
    assert float((usual * ours).sum(1).min()) > 0.99999


def test_half_of_the_patches_includes_those_with_subjects() -> None:
    model = build(600)
    maps = torch.full((4, GRID * GRID), NOBODY)
    maps[:, 14:22] = 5
    with torch.inference_mode():
        seen = look(model, torch.randn(4, 3, FRAME, FRAME), maps, 0.5)
    kept = (maps.gather(1, seen.kept) == 5).float().sum(1)
    assert seen.kept.shape == (4, GRID * GRID // 2)
    assert float(kept.mean()) > 6


def test_kept_patches_are_embedded_as_by_the_model() -> None:
    torch.manual_seed(0)
    embeddings = build(300).vision_model.embeddings
    values = torch.randn(2, 3, FRAME, FRAME)
    kept = torch.tensor([[0, 7, 35], [3, 4, 5]])
    whole = embeddings(values)
    some = embedded_patches(embeddings, values, kept)
    rows = torch.cat([torch.zeros(2, 1, dtype=torch.long), kept + 1], dim=1)
    expected = whole.gather(1, rows[..., None].expand(-1, -1, whole.shape[2]))
    assert torch.nn.functional.cosine_similarity(some, expected, dim=-1).min() > 0.999


def test_bfloat16_products_have_the_gradients_of_float32_ones() -> None:
    torch.manual_seed(0)
    x, weight = torch.randn(3, 5, 64), torch.randn(32, 64)
    gradients = []
    for multiply in (product, lambda a, b: a @ b.T):
        a, b = x.clone().requires_grad_(), weight.clone().requires_grad_()
        multiply(a, b).square().sum().backward()
        assert a.grad is not None
        assert b.grad is not None
        gradients.append(torch.cat([a.grad.flatten(), b.grad.flatten()]))
    assert torch.nn.functional.cosine_similarity(*gradients, dim=0) > 0.999


def test_near_twins_have_less_loss_and_equal_scenes_add_none() -> None:
    apart = torch.eye(4)
    together = apart[[0, 0, 1, 1]]
    nothing_alike = torch.eye(4, dtype=torch.bool)
    assert twin_loss(together, 12, nothing_alike) < 0.01 < twin_loss(apart, 12, nothing_alike)
    all_alike = torch.ones(4, 4, dtype=torch.bool)
    assert float(twin_loss(apart, 12, all_alike)) == 0


def test_pictures_of_the_same_subjects_and_places_count_as_equal() -> None:
    scenes = [Scene((0,), "snow"), Scene((0,), "snow", 3), Scene((0,), "sea"), Scene((1,), "snow")]
    alike = same(claims_of(scenes, SUBJECTS))
    assert alike.int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_a_bent_and_repainted_drawing_differs_and_is_complete() -> None:
    image = Image.fromarray(disc(), "RGBA")
    drawn = [restyled(image, np.random.default_rng(seed)) for seed in range(40)]
    assert min(np.asarray(one.getchannel("A")).mean() for one in drawn) > 60
    assert len({one.tobytes() for one in drawn} - {image.tobytes()}) > 30
