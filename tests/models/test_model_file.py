import json
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from safetensors.torch import save_file

from iqa.backbones import load
from iqa.errors import UserError
from iqa.heads import MLPHead
from iqa.models import ModelInfo, QualityModel, Reference, load_model, save_model
from iqa.models.model_file import FORMAT
from iqa.tensors import read_tensors, write_tensors

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


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    """The file, its tensors and its header."""
    path = tmp_path_factory.mktemp("saved") / "m.safetensors"
    save_model(path, model, INFO)
    return path, *read_tensors(path, "model", FORMAT)


def test_a_file_of_something_else_is_told(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(UserError, match="its format is another, expected iqa-model-2; save it"):
        load_model(tmp_path / "x.safetensors")
    (tmp_path / "y.safetensors").write_bytes(b"half a file")
    with pytest.raises(UserError, match=r"y\.safetensors"):
        load_model(tmp_path / "y.safetensors")
    for there_is_none in ("z.safetensors", ".", "x.safetensors/y"):
        with pytest.raises(UserError, match="No such file; check the path"):
            load_model(tmp_path / there_is_none)


def test_every_changed_byte_is_noticed(saved, tmp_path):
    content = saved[0].read_bytes()
    damaged = tmp_path / "m.safetensors"
    for place in np.linspace(0, len(content) - 1, 40).astype(int):
        changed = bytearray(content)
        changed[place] ^= 4
        damaged.write_bytes(changed)
        with pytest.raises(UserError, match=r"model .*m\.safetensors: "):
            load_model(damaged)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_header_is_a_traceback(saved, tmp_path_factory, data):
    content = saved[0].read_bytes()
    size = 8 + int.from_bytes(content[:8], "little")
    header = bytearray(content[:size])
    for _ in range(data.draw(st.integers(1, 3))):
        header[data.draw(st.integers(0, size - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "fuzz.safetensors"
    path.write_bytes(bytes(header) + content[size:])
    with suppress(UserError):
        load_model(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"low": float("nan")}, "finite number"),
        ({"high": float("inf")}, "finite number"),
        ({"low": 100.0}, "low is 100 and high 100, expected low < high"),
        ({"input_size": 10**9}, "less than or equal to 4096"),
        ({"input_size": 8}, "greater than or equal to 32"),
        ({"input_size": "big"}, "valid integer"),
        ({"extra": 1}, "Extra inputs are not permitted"),
        ({"backbone": "vgg"}, "do not fit .unknown backbone 'vgg'"),
        ({"pooling": "sum"}, "do not fit .unknown pooling 'sum'"),
        ({"head": "relu"}, "do not fit"),
        ({"head": "rleu"}, "do not fit .unknown head 'rleu'"),
        (
            {"backbone": "siglip2/tiny", "pooling": "", "input_size": 65},
            "do not fit .input size 65",
        ),
    ],
    ids=str,
)
def test_a_header_that_says_what_cannot_be_is_refused(change, said, saved, tmp_path):
    _, tensors, about = saved
    info = json.dumps(json.loads(about["info"]) | change)
    write_tensors(tmp_path / "m.safetensors", tensors, about | {"info": info})
    with pytest.raises(UserError, match=rf"m\.safetensors: .*{said}") as caught:
        load_model(tmp_path / "m.safetensors")
    assert "\n" not in str(caught.value)


def test_a_header_without_a_description_is_refused(saved, tmp_path):
    for about in ({"format": FORMAT}, {"format": FORMAT, "info": "[["}):
        write_tensors(tmp_path / "m.safetensors", saved[1], about)
        with pytest.raises(UserError, match="its header does not say what it is"):
            load_model(tmp_path / "m.safetensors")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (torch.zeros(8), r"head.fc1.weight is \(8,\), expected"),
        (torch.zeros(()), r"head.fc1.weight is \(\), expected"),
        (torch.zeros(10**12, 0), r"head.fc1.weight is \(1000000000000, 0\), expected"),
        (torch.zeros(16, 8), "do not fit"),
        (torch.full((16, 224), torch.nan), "holds values that are not finite"),
        (None, "do not fit .'head.fc1.weight'"),
    ],
    ids=lambda value: str(getattr(value, "shape", "none")),
)
def test_parameters_of_another_shape_are_refused(values, said, saved, tmp_path):
    _, tensors, about = saved
    changed = {k: v for k, v in tensors.items() if k != "head.fc1.weight"}
    if values is not None:
        changed["head.fc1.weight"] = values
    write_tensors(tmp_path / "m.safetensors", changed, about)
    with pytest.raises(UserError, match=rf"m\.safetensors: .*{said}"):
        load_model(tmp_path / "m.safetensors")


def test_what_a_model_is_called_is_harmless_to_print():
    assert INFO.model_copy().name == "tiny"
    named = ModelInfo.model_validate(INFO.model_dump() | {"name": "a\x1b[31m\n"})
    assert named.name == "a\\x1b[31m\\n"
    with pytest.raises(ValidationError):
        ModelInfo.model_validate(INFO.model_dump() | {"low": 2.0, "high": 1.0})


def test_parameters_that_do_not_fit_are_told(model, tmp_path):
    save_model(tmp_path / "m.safetensors", model, INFO.model_copy(update={"head": "relu"}))
    with pytest.raises(UserError, match="do not fit"):
        load_model(tmp_path / "m.safetensors")


def test_the_head_computes_in_float32_under_autocast(model):
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        assert model(torch.rand(1, 3, 64, 64)).dtype == torch.float32


def test_a_score_is_compared_with_the_references():
    reference = Reference(of="photographs", scores=np.quantile(range(1000), np.linspace(0, 1, 101)))
    assert [reference.better_than(score) for score in (-1, 0, 499, 500, 1000)] == [
        0,
        0,
        49,
        50,
        100,
    ]
    assert (
        ModelInfo.model_validate_json(
            INFO.model_copy(update={"reference": reference}).model_dump_json()
        ).reference
        == reference
    )


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=30), st.floats(-10, 10))
def test_the_percentage_is_that_of_lower_scores(scores, score):
    at = np.quantile(scores, np.linspace(0, 1, 101), method="inverted_cdf")
    lower = 100 * np.mean(np.array(scores) < score)
    assert abs(Reference(of="p", scores=at.tolist()).better_than(score) - lower) <= 1 + 1e-9


@pytest.mark.parametrize("scores", [range(100), [*range(100), 98], [*range(100), np.inf]])
def test_a_reference_out_of_order_is_refused(scores):
    with pytest.raises(ValidationError):
        Reference(of="photographs", scores=list(scores))
