import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from iqa.models import load_model
from iqa.scoring import export, export_onnx


@pytest.fixture(scope="module")
def exported(model_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "m.onnx"
    return path, export_onnx(*load_model(model_file), path)


@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (5, 3, 64, 64), (2, 3, 97, 131), (1, 3, 33, 60)])
def test_agrees_with_pytorch_at_any_batch_and_size(exported, model_file, shape):
    path, written = exported
    assert written.any_size
    assert written.difference < 1e-4
    model, info = load_model(model_file)
    images = torch.rand(shape)
    with torch.no_grad():
        expected = info.low + (info.high - info.low) * model(images).numpy()
    scores = onnxruntime.InferenceSession(path).run(["scores"], {"images": images.numpy()})[0]
    assert scores.shape == shape[:1]
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_agrees_with_the_scorer(exported, scorer):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    images = (pixels.transpose(2, 0, 1)[None] / 255).astype(np.float32)
    scores = onnxruntime.InferenceSession(exported[0]).run(None, {"images": images})[0]
    assert scores[0] == pytest.approx(scorer.score(pixels)["score"].item(), abs=1e-4)


def test_the_file_says_what_it_is(exported):
    file = onnx.load(exported[0])
    about = {entry.key: entry.value for entry in file.metadata_props}
    assert about["name"] == "tiny"
    assert about["untrained"] == "True"
    assert "(untrained)" in file.doc_string
    assert "from 1 to 5" in file.doc_string


class FixedSize(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3 * 64 * 64, 1)

    def forward(self, images):
        return self.layer(images.flatten(1))


def test_a_network_of_fixed_size_has_a_free_batch_only(model_file, tmp_path):
    info = load_model(model_file)[1]
    written = export_onnx(FixedSize(), info, tmp_path / "m.onnx")
    assert not written.any_size
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    assert session.get_inputs()[0].shape == ["N", 3, 64, 64]
    assert session.run(None, {"images": np.zeros((4, 3, 64, 64), np.float32)})[0].shape == (4,)


@pytest.mark.parametrize("difference", [1e-3, float("nan")])
def test_a_file_that_differs_is_not_put_in_place(model_file, tmp_path, monkeypatch, difference):
    monkeypatch.setattr(export, "_difference", lambda *_: difference)
    (tmp_path / "m.onnx").write_text("the old one")
    with pytest.raises(RuntimeError, match="differ by"):
        export.export_onnx(*load_model(model_file), tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_text() == "the old one"
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


def test_the_difference_is_seen(model_file, tmp_path):
    model, info = load_model(model_file)
    export_onnx(model, info, tmp_path / "m.onnx")
    with torch.no_grad():
        model.head.fc3.bias += 0.01
    native = export.NativeScale(model, info.low, info.high)
    seen = export._difference(native, info, True, tmp_path / "m.onnx")
    assert seen == pytest.approx(0.01, rel=0.01)
