import numpy as np
import pytest
import torch
from PIL import Image

from iqa.backbones import load
from iqa.heads import MLPHead
from iqa.models import ModelInfo, QualityModel, save_model
from iqa.scoring import Scorer, conversions

INFO = ModelInfo(
    name="tiny",
    backbone="efficientnet_lite0/middle",
    pooling="mean+std",
    head="relu",
    input_size=64,
    low=1,
    high=5,
    trained_on="nothing",
    untrained=True,
)


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    """An untrained model whose scores differ clearly between images."""
    torch.manual_seed(0)
    model = QualityModel(
        load(INFO.backbone, weights="none"), MLPHead.from_preset(INFO.head, 224, 16)
    )
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    save_model(path, model, INFO)
    return path


APART = conversions._convert_apart


@pytest.fixture(autouse=True)
def converted_here(monkeypatch):
    """Models are converted in this process: another one imports PyTorch again for each."""
    monkeypatch.setattr(conversions, "_convert_apart", lambda file: {})


@pytest.fixture
def converted_apart(converted_here, monkeypatch):
    """Models are converted in another process, as for users."""
    monkeypatch.setattr(conversions, "_convert_apart", APART)


@pytest.fixture(scope="session")
def scorer(model_file):
    return Scorer(model_file)


@pytest.fixture
def picture(tmp_path):
    """Makes an image file of its own for each seed; the last part of the name is the format."""

    def make(name, seed=0, size=(40, 30), **options):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, **options)
        return str(path)

    return make
