import json

import huggingface_hub.constants
import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from open_clip import pretrained
from PIL import Image
from safetensors.torch import save_file
from typer.testing import CliRunner

from iqa.cli import app
from iqa.errors import UserError
from iqa.features import read_image
from iqa.features.engine import openvino_engine
from iqa.scoring.zero_shot import PROMPTS, ZeroShot, open_zero_shot

VISION = {"image_size": 32, "patch_size": 8, "width": 32, "head_width": 16, "layers": 2}
TEXT = {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
CLIP = {"embed_dim": 16, "vision_cfg": VISION, "text_cfg": TEXT}
CONFIGS = {
    "tiny-clip": CLIP,
    # As SigLIP has it: a text tower of its own, and a bias beside the scale.
    "tiny-sig": {**CLIP, "custom_text": True, "init_logit_bias": -10, "init_logit_scale": 2.3},
}


@pytest.fixture(scope="module", autouse=True)
def tiny_configs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("configs")
    for name, config in CONFIGS.items():
        (folder / f"{name}.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder)


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))


def whole_clip(name, **options):
    torch.manual_seed(0)
    return open_clip.create_model(name, **options).eval()


def tokens(name):
    return open_clip.get_tokenizer(name)(list(PROMPTS))


def by_hand(clip, images, name):
    """The score as the docstring of `ZeroShot` has it, image by image, in NumPy."""
    good, bad = clip.encode_text(tokens(name)).numpy().astype(float)
    scale = float(clip.logit_scale.exp())
    scores = []
    for x in clip.encode_image(images).numpy().astype(float):
        cosines = [x @ t / np.linalg.norm(x) / np.linalg.norm(t) for t in (good, bad)]
        good_part, bad_part = np.exp(scale * np.array(cosines))
        scores.append(good_part / (good_part + bad_part))
    return scores


@torch.no_grad()
@pytest.mark.parametrize("name", CONFIGS)
def test_the_score_is_the_formula(name):
    model, info = open_zero_shot(f"{name}/none")
    images = torch.rand(3, 3, 32, 32)
    mean, std = (
        torch.tensor(values).view(1, 3, 1, 1)
        for values in (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    )
    clip = whole_clip(name)
    expected = by_hand(clip, (images - mean) / std, name)
    np.testing.assert_allclose(model(images), expected, rtol=1e-4)
    assert np.ptp(expected) > 1e-4
    assert info.untrained
    assert info.input_size == 32
    # open_clip's own logits, which hold the bias where there is one, give the same.
    logits, _ = clip.get_logits((images - mean) / std, tokens(name))
    torch.testing.assert_close(model(images), logits.softmax(1)[:, 0])


@torch.no_grad()
def test_weights_come_with_their_own_activation_and_normalisation(monkeypatch, tmp_path):
    clip = whole_clip("tiny-clip", force_quick_gelu=True)
    torch.nn.init.normal_(clip.visual.proj)
    save_file(clip.state_dict(), tmp_path / "own.safetensors")
    half = (0.5, 0.5, 0.5)
    entry = {"file": str(tmp_path / "own.safetensors"), "mean": half, "std": half}
    monkeypatch.setitem(pretrained._PRETRAINED, "tiny-clip", {"own": {**entry, "quick_gelu": True}})
    model, info = open_zero_shot("tiny-clip")
    assert not info.untrained
    assert info.name == "zero-shot:tiny-clip/own"
    images = torch.rand(2, 3, 32, 32)
    expected = by_hand(clip, images * 2 - 1, "tiny-clip")
    np.testing.assert_allclose(model(images), expected, rtol=1e-4)
    without = whole_clip("tiny-clip")
    without.load_state_dict(clip.state_dict())
    assert not np.allclose(by_hand(without, images * 2 - 1, "tiny-clip"), expected, rtol=1e-4)


@torch.no_grad()
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.01, 1))
def test_opposite_prompts_give_opposite_scores(seed, contrast):
    clip = whole_clip("tiny-clip")
    images = contrast * torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    scores = ZeroShot(clip, tokens("tiny-clip"))(images)
    assert ((scores >= 0) & (scores <= 1)).all()
    swapped = ZeroShot(clip, tokens("tiny-clip").flip(0))(images)
    torch.testing.assert_close(swapped, 1 - scores)


@torch.no_grad()
def test_a_score_does_not_depend_on_its_batch_nor_on_the_random_state():
    images = torch.rand(4, 3, 32, 32)
    torch.manual_seed(1)
    model, _ = open_zero_shot("tiny-clip/none")
    torch.manual_seed(2)
    again, _ = open_zero_shot("tiny-clip/none")
    alone = torch.cat([again(image[None]) for image in images])
    torch.testing.assert_close(model(images), alone, atol=1e-6, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("name", CONFIGS)
def test_the_cpu_engine_gives_the_same_scores(name):
    model, info = open_zero_shot(f"{name}/none")
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    expected = model(torch.from_numpy(images).permute(0, 3, 1, 2) / 255)
    scores = openvino_engine(model, info.input_size)(images)
    np.testing.assert_allclose(scores, expected, atol=1e-4)


@torch.no_grad()
def test_the_command_line_scores_by_it_and_says_untrained(tmp_path):
    path = tmp_path / "a.png"
    Image.effect_noise((60, 40), 80).save(path)
    words = ["score", str(path), "--model", "zero-shot:tiny-clip/none"]
    done = CliRunner().invoke(app, [*words, "--format", "jsonl"])
    row = json.loads(done.stdout)
    assert row["model"] == "zero-shot:tiny-clip/none (untrained)"
    pixels = torch.from_numpy(read_image(path, 32).copy()).permute(2, 0, 1)[None] / 255
    expected = open_zero_shot("tiny-clip/none")[0](pixels).item()
    assert row["score"] == pytest.approx(expected, abs=1e-4)
    table = CliRunner().invoke(app, words).stdout
    assert table.startswith("Scores by zero-shot:tiny-clip/none (untrained), 0 to 1, higher is")
    refused = CliRunner().invoke(app, [*words, "--explain", str(tmp_path / "maps")])
    assert "no layer is known that Grad-CAM could look at" in str(refused.exception)


def test_the_text_tower_is_not_kept():
    model, _ = open_zero_shot("tiny-sig/none")
    assert {name.split(".")[0] for name, _ in model.named_parameters()} == {"visual"}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("vit-b32/openai", "close names are ViT-B-32"),
        ("coca_ViT-B-32", "no CLIP model 'coca_ViT-B-32'"),
        ("", "no CLIP model ''"),
        ("ViT-B-32/opnai", "close names are openai"),
        ("tiny-clip", "tiny-clip/none"),
        ("tiny-clip/openai", "no weights 'openai'"),
    ],
)
def test_unknown_names_are_told_with_close_ones(spec, says):
    with pytest.raises(UserError, match=says) as caught:
        open_zero_shot(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("ViT-B-32/openai", "the weights cannot be loaded .* or ask for ViT-B-32/none"),
        ("ViT-B-16-SigLIP/none", "its tokenizer is on the hub"),
    ],
)
def test_without_network_and_cache_one_line_says_so(offline, caplog, spec, says):
    with pytest.raises(UserError, match=says) as caught:
        open_zero_shot(spec)
    assert "\n" not in str(caught.value)
    assert not caplog.records


def test_damaged_weights_are_told(monkeypatch, tmp_path):
    (tmp_path / "own.safetensors").write_bytes(b"half a file")
    entry = {"file": str(tmp_path / "own.safetensors")}
    monkeypatch.setitem(pretrained._PRETRAINED, "tiny-clip", {"own": entry})
    with pytest.raises(UserError, match="tiny-clip/own: the weights cannot be loaded"):
        open_zero_shot("tiny-clip/own")
