"""A model is converted once; the conversion that is kept scores as a new one does."""

import os
import subprocess
import sys

import numpy as np
import pytest

from iqa import datasets
from iqa.errors import UserError
from iqa.evaluation import srcc
from iqa.features import openvino_cpu
from iqa.features.engine import openvino_engine
from iqa.models import load_model
from iqa.scoring import Scorer, conversions
from iqa.scoring.native_scale import NativeScale


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IQA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def parts_of(model_file):
    """What the model is converted to, in this process."""
    return conversions._convert(model_file)


@pytest.fixture
def made(parts_of, monkeypatch):
    """The names of the models that are converted; a real conversion takes seconds each time."""
    names = []

    def convert(path):
        names.append(path.name)
        return parts_of

    monkeypatch.setattr(conversions, "_convert_apart", convert)
    return names


def scores(model_file, pixels):
    return Scorer(model_file).score(pixels)["score"].tolist()


def test_a_kept_conversion_gives_the_same_scores_to_the_last_bit(model_file, pixels, cache, made):
    first = scores(model_file, pixels)
    assert made == [model_file.name]
    assert [scores(model_file, pixels) for _ in range(2)] == [first, first]
    assert made == [model_file.name]
    model, info = load_model(model_file)
    assert Scorer(model_file).info == info
    not_kept = openvino_engine(NativeScale(model, info.low, info.high), info.input_size)(pixels)
    np.testing.assert_allclose(first, not_kept, rtol=1e-6)


def parts(cache):
    found = sorted(path for path in cache.glob("converted/*/*") if path.is_file())
    assert [path.name for path in found] == ["checksum", "info.json", "model.bin", "model.xml"]
    return found


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("checksum", lambda content: content[:-1]),
        ("info.json", lambda content: content.replace(b"tiny", b"fine")),
        ("model.xml", lambda content: content.replace(b"Add", b"Sub", 1)),
        ("model.bin", lambda content: content[:4000] + b"?" + content[4001:]),
        ("model.bin", None),
    ],
)
def test_a_damaged_conversion_is_made_again(model_file, pixels, cache, made, name, damage):
    expected = scores(model_file, pixels)
    [path] = [path for path in parts(cache) if path.name == name]
    content = path.read_bytes()
    path.unlink()
    if damage:
        path.write_bytes(damage(content))
        assert path.read_bytes() != content
    assert scores(model_file, pixels) == expected
    assert len(made) == 2
    assert scores(model_file, pixels) == expected
    assert len(made) == 2


def test_another_model_or_another_version_is_converted_apart(
    model_file, pixels, cache, made, tmp_path, monkeypatch
):
    scores(model_file, pixels)
    same = tmp_path / "same.safetensors"
    same.write_bytes(model_file.read_bytes())
    scores(same, pixels)
    assert len(made) == 1
    monkeypatch.setattr(conversions, "version", lambda package: f"{package} 0")
    scores(model_file, pixels)
    assert len(made) == 2
    assert len(list(cache.glob("converted/*"))) == 2


def test_a_cache_that_cannot_be_written_to_is_no_obstacle(model_file, pixels, cache, made):
    expected = scores(model_file, pixels)
    for path in parts(cache):
        path.unlink()
    (cache / "converted").rename(cache / "elsewhere")
    (cache / "converted").write_text("a file where the folder should be")
    assert scores(model_file, pixels) == expected
    assert len(made) == 2


def test_a_process_of_its_own_converts_to_the_same(model_file, parts_of, converted_apart):
    apart = conversions._convert_apart(model_file)
    assert apart.keys() == parts_of.keys()
    assert apart["model.bin"] == parts_of["model.bin"]
    assert apart["info.json"] == parts_of["info.json"]


def test_where_that_process_fails_this_one_converts(
    model_file, scorer, pixels, cache, converted_apart, monkeypatch
):
    monkeypatch.setattr(conversions, "_CHILD", "raise SystemExit(3)")
    assert scores(model_file, pixels) == scorer.score(pixels)["score"].tolist()
    assert parts(cache)


def test_what_a_killed_process_left_is_not_kept(
    model_file, scorer, pixels, cache, converted_apart, monkeypatch
):
    half = "import os, signal, sys; from iqa.scoring import conversions as c; "
    half += "write = c.Path.write_bytes; c.Path.write_bytes = lambda path, content: ("
    half += "write(path, content[:99]), path.name == 'model.bin' and os.kill(os.getpid(), 9)); "
    half += "c.convert_into(*sys.argv[1:])"
    monkeypatch.setattr(conversions, "_CHILD", half)
    expected = scorer.score(pixels)["score"].tolist()
    assert [scores(model_file, pixels) for _ in range(2)] == [expected] * 2


COMMAND = """
import sys
from iqa.cli.score_files import score
from iqa.cli import app
app(sys.argv[1:], standalone_mode=False)
print([name for name in ("torch", "pandas", "timm") if name in sys.modules], file=sys.stderr)
"""


def test_with_a_kept_conversion_the_command_imports_neither_torch_nor_pandas(
    model_file, pixels, cache, picture
):
    expected = Scorer(model_file).score([picture("a.png")])["score"].item()
    words = ["score", picture("a.png"), "--model", str(model_file), "--format", "csv"]
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env=os.environ | {"IQA_CACHE": str(cache)},
    )
    assert done.stderr == "[]\n"
    assert float(done.stdout.splitlines()[1].split(",")[1]) == expected


def test_bfloat16_is_said_and_differs_little(model_file, pixels):
    if "BF16" not in openvino_cpu._capabilities():
        pytest.skip("this CPU has no units for bfloat16")
    exact, fast = Scorer(model_file), Scorer(model_file, precision="bf16")
    assert fast.title == "tiny (untrained, bf16)"
    one, other = exact.score(pixels), fast.score(pixels)
    assert set(other["model"]) == {"tiny (untrained, bf16)"}
    assert (one["score"] != other["score"]).any()
    np.testing.assert_allclose(one["score"], other["score"], atol=0.05 * 4)
    alone = [fast.score(image)["score"].item() for image in pixels]
    assert alone == other["score"].tolist()


@pytest.mark.real_data
def test_bfloat16_keeps_the_order_of_photographs():
    """As the README says; measured: SRCC .9995, largest change 3.2."""
    if "BF16" not in openvino_cpu._capabilities():
        pytest.skip("this CPU has no units for bfloat16")
    if datasets.ENTRIES["clive"].files() != "found":
        pytest.skip("clive is not under IQA_DATA")
    paths = datasets.load("clive").table["path"][:1000:5]
    exact, fast = (Scorer(precision=kind).score(paths)["score"] for kind in ("f32", "bf16"))
    assert srcc(exact, fast) > 0.999
    assert (exact - fast).abs().max() < 5


def test_without_units_bfloat16_is_refused_in_one_line(model_file, monkeypatch):
    monkeypatch.setattr(openvino_cpu, "_capabilities", lambda: ["FP32"])
    with pytest.raises(UserError, match="this CPU has no units for bfloat16; choose f32"):
        Scorer(model_file, precision="bf16")
