import pytest
import torch
from safetensors.torch import save_file

from iqa.backbones import load
from iqa.errors import UserError
from iqa.heads import MLPHead
from iqa.models import ModelInfo, QualityModel, load_model, save_model

INFO = ModelInfo(
    name="tiny",
    backbone="efficientnet_lite0/middle",
    pooling="mean+std",
    head="gated",
    input_size=64,
    high=100,
    trained_on="nothing",
    untrained=True,
)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    backbone = load(INFO.backbone, weights="none", seed=7)
    return QualityModel(backbone, MLPHead.from_preset("gated", 224, 16)).eval()


def test_a_saved_model_scores_alike(model, tmp_path):
    images = torch.rand(2, 3, 64, 64)
    save_model(tmp_path / "m.safetensors", model, INFO)
    again, info = load_model(tmp_path / "m.safetensors")
    assert info == INFO
    with torch.no_grad():
        assert torch.equal(model(images), again(images))


def test_half_precision_halves_the_file_and_hardly_moves_scores(model, tmp_path):
    images = torch.rand(2, 3, 64, 64)
    save_model(tmp_path / "m.safetensors", model, INFO)
    save_model(tmp_path / "h.safetensors", model, INFO, torch.float16)
    sizes = [(tmp_path / name).stat().st_size for name in ("h.safetensors", "m.safetensors")]
    assert sizes[0] < 0.6 * sizes[1]
    with torch.no_grad():
        scores = load_model(tmp_path / "h.safetensors")[0](images)
        torch.testing.assert_close(scores, model(images), atol=1e-3, rtol=0)


def test_a_file_of_something_else_is_told(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(UserError, match="not a scoring model"):
        load_model(tmp_path / "x.safetensors")
    (tmp_path / "y.safetensors").write_bytes(b"half a file")
    with pytest.raises(UserError, match=r"y\.safetensors"):
        load_model(tmp_path / "y.safetensors")
    with pytest.raises(UserError, match="No such file"):
        load_model(tmp_path / "z.safetensors")


def test_parameters_that_do_not_fit_are_told(model, tmp_path):
    save_model(tmp_path / "m.safetensors", model, INFO.model_copy(update={"head": "relu"}))
    with pytest.raises(UserError, match="do not fit"):
        load_model(tmp_path / "m.safetensors")


def test_the_head_computes_in_float32_under_autocast(model):
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        assert model(torch.rand(1, 3, 64, 64)).dtype == torch.float32
