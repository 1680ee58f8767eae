"""A model of each kind of backbone, from its file to scores, overlays and ONNX."""

import json

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from iqa import backbones
from iqa.cli import app
from iqa.features import read_image
from iqa.heads import MLPHead
from iqa.models import ModelInfo, QualityModel, load_model, save_model

CONVOLUTIONAL = ("efficientnet_lite0/levels", "resnet/tiny")
TRANSFORMERS = ("siglip2/tiny", "dinov3/tiny", "perception/tiny")


@pytest.fixture(scope="module", params=CONVOLUTIONAL + TRANSFORMERS)
def model_file(request, tmp_path_factory):
    torch.manual_seed(0)
    backbone = backbones.load(request.param, weights="none")
    spec = backbone.spec
    info = ModelInfo(
        name="tiny",
        backbone=spec.name,
        pooling=backbone.pooling,
        head="sigmoid",
        input_size=64,
        low=0,
        high=100,
        trained_on="nothing",
        untrained=True,
    )
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    head = MLPHead.from_preset(info.head, backbones.feature_dim(spec), 16)
    save_model(path, QualityModel(backbone, head), info)
    return path


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_score_explains_and_says_untrained(model_file, picture, tmp_path):
    path, maps = picture("a.png", size=(90, 60)), tmp_path / "maps"
    done = call("score", path, "--model", model_file, "--explain", maps, "--format", "jsonl")
    assert done.exit_code == 0
    row = json.loads(done.stdout)
    assert row["model"] == "tiny (untrained)"
    model, _ = load_model(model_file)
    with torch.no_grad():
        pixels = torch.from_numpy(read_image(path, 64).copy())
        expected = 100 * model(pixels.permute(2, 0, 1)[None] / 255).item()
    assert row["score"] == pytest.approx(expected, abs=0.01)
    (shown,) = maps.iterdir()
    with Image.open(shown) as overlay:
        assert overlay.size == (90, 60)
        assert np.ptp(np.asarray(overlay)) > 0


def test_export_agrees_with_pytorch_at_the_sizes_that_are_free(model_file, tmp_path):
    model, info = load_model(model_file)
    free = info.backbone in CONVOLUTIONAL
    done = call("export", model_file, tmp_path / "m.onnx")
    assert ("any height and width" if free else "64 x 64") in done.stdout
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    assert session.get_inputs()[0].shape == ["N", 3, *(("H", "W") if free else (64, 64))]
    # Sides that leave the lower level odd, where repeating the upper one's rows could slip.
    sizes = [(64, 64), (65, 97), (79, 113), (224, 80), (33, 47)] if free else [(64, 64)]
    for count, (height, width) in enumerate(sizes, 1):
        images = torch.rand(count, 3, height, width)
        with torch.no_grad():
            expected = 100 * model(images)
        scores = session.run(None, {"images": images.numpy()})[0]
        np.testing.assert_allclose(scores / 100, expected / 100, atol=1e-4)
