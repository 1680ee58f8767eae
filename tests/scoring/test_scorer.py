from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import iqa
from iqa.errors import UserError
from iqa.features import read_image
from iqa.models import load_model
from iqa.scoring import Scorer, openers
from iqa.scoring.scorer import AHEAD, BATCH


def test_scores_are_the_models_on_the_native_scale(scorer, model_file, picture):
    paths = [picture(f"{seed}.png", seed) for seed in range(3)]
    model, info = load_model(model_file)
    with torch.no_grad():
        pixels = torch.from_numpy(np.stack([read_image(path, 64) for path in paths]))
        outputs = model(pixels.permute(0, 3, 1, 2) / 255).numpy()
    table = scorer.score(paths)
    assert table["path"].tolist() == paths
    assert table["error"].isna().all()
    assert set(table["model"]) == {"tiny (untrained)"}
    assert table["score"].nunique() == 3
    np.testing.assert_allclose(table["score"], info.low + 4 * outputs, atol=1e-4)


def test_scorer_comes_from_the_package(model_file):
    assert iqa.Scorer is Scorer


def test_a_score_does_not_depend_on_its_batch_or_place(scorer, picture):
    paths = [picture(f"{seed}.png", seed) for seed in range(BATCH + 5)]
    together = scorer.score(paths)["score"]
    alone = [scorer.score(path)["score"].item() for path in paths]
    backwards = scorer.score(paths[::-1])["score"][::-1]
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, backwards)


def test_images_from_memory_score_like_files(scorer, picture):
    path = picture("a.png")
    image = Image.open(path)
    pixels = np.asarray(image)
    opaque = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    table = scorer.score([path, image, pixels, opaque])
    assert table["score"].nunique() == 1
    assert table["path"].tolist() == [path, "image 2", "image 3", "image 4"]
    grey = scorer.score([pixels[..., 0], pixels[..., :1]])
    assert grey["score"].nunique() == 1
    for one in (path, image, pixels):
        assert len(scorer.score(one)) == 1


def test_every_mode_is_scored(scorer, tmp_path):
    rng = np.random.default_rng(0)
    rgb = Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))
    deep = Image.fromarray(rng.integers(0, 65536, (20, 30), dtype=np.uint16))
    upright = tmp_path / "exif.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb.save(upright, exif=exif)
    for mode in ("1", "L", "LA", "P", "RGBA"):
        rgb.convert(mode).save(tmp_path / f"{mode}.png")
    rgb.convert("CMYK").save(tmp_path / "cmyk.jpg")
    deep.save(tmp_path / "deep.png")
    rgb.save(tmp_path / "moving.gif", save_all=True, append_images=[rgb.rotate(90)] * 2)
    rgb.resize((1, 400)).save(tmp_path / "thin.png")
    table = scorer.score(sorted(tmp_path.iterdir()))
    assert len(table) == 10
    assert table["error"].isna().all()
    assert np.isfinite(table["score"]).all()


def test_an_animation_is_its_first_frame_and_rotation_is_applied(scorer, tmp_path):
    first = Image.new("L", (20, 20), 50)
    first.save(tmp_path / "a.gif")
    first.save(tmp_path / "b.gif", save_all=True, append_images=[Image.new("L", (20, 20), 250)])
    image = Image.linear_gradient("L").convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 3
    image.rotate(180).save(tmp_path / "c.png", exif=exif)
    image.save(tmp_path / "d.png")
    scores = scorer.score([tmp_path / f"{name}" for name in ("a.gif", "b.gif", "c.png", "d.png")])
    assert scores["score"][0] == scores["score"][1]
    assert scores["score"][2] == scores["score"][3]
    assert scores["score"][0] != scores["score"][2]


def test_bad_files_have_rows_and_the_rest_goes_on(scorer, picture, tmp_path, monkeypatch):
    monkeypatch.setattr(scorer, "max_pixels", 2000)
    good = picture("good.png")
    empty, cut, text = tmp_path / "empty.jpg", tmp_path / "cut.png", tmp_path / "text.png"
    empty.write_bytes(b"")
    cut.write_bytes((tmp_path / "good.png").read_bytes()[:-900])
    text.write_text("no image")
    bomb, large = picture("bomb.png", size=(100, 100)), picture("large.png", size=(50, 50))
    (tmp_path / "none").mkdir()
    bad = [empty, cut, text, bomb, large, tmp_path / "missing.png", tmp_path / "none"]
    table = scorer.score([good, *bad, good])
    assert table["path"].tolist() == [good, *map(str, bad), good]
    assert table["score"].notna().tolist() == [True, *[False] * len(bad), True]
    errors = table["error"][1:-1].tolist()
    assert all(
        str(path) in error and "\n" not in error for path, error in zip(bad, errors, strict=True)
    )
    assert "more than 2,000 pixels" in errors[3]
    assert "more than 2,000 pixels" in errors[4]
    assert "no such image file" in errors[5]
    assert "a folder, not an image file" in errors[6]


def test_a_damaged_lazy_image_has_an_error(scorer, picture, tmp_path):
    cut = tmp_path / "cut.png"
    cut.write_bytes(Path(picture("a.png")).read_bytes()[:-900])
    assert "image 1: not a readable image" in scorer.score(Image.open(cut))["error"].item()


def test_nothing_but_bad_files(scorer, tmp_path):
    rows = list(scorer.stream(str(tmp_path / f"{n}.png") for n in range(BATCH + 1)))
    assert [row.score for row in rows] == [None] * (BATCH + 1)
    assert scorer.score([]).columns.tolist() == ["path", "score", "error", "model", "better_than"]


def test_a_stream_takes_no_more_than_it_reads_ahead(scorer, picture):
    path, taken, largest = picture("a.png"), 0, 0

    def paths():
        nonlocal taken
        for taken in range(1, 301):  # noqa: B007 (it is read below)
            yield path

    for given, _ in enumerate(scorer.stream(paths())):
        largest = max(largest, taken - given)
    assert taken == 300
    assert BATCH < largest <= AHEAD + BATCH


@pytest.fixture
def shelf(tmp_path, monkeypatch, model_file):
    monkeypatch.setattr(openers, "project_root", lambda: tmp_path)
    (tmp_path / "results/models").mkdir(parents=True)
    return tmp_path / "results/models"


def test_the_shipped_model_is_the_default(shelf, model_file):
    with pytest.raises(UserError, match="no model lite0-photographs comes with this inst"):
        openers.open_model()
    for name in (openers.DEFAULT, "mine"):
        (shelf / f"{name}.safetensors").write_bytes(model_file.read_bytes())
    assert openers.open_model()[1].name == "tiny"
    assert openers.open_model("mine")[1].name == "tiny"
    with pytest.raises(
        UserError, match=r"unknown model 'nosuch': choose one of lite0-photographs, mine, PATH"
    ):
        openers.open_model("nosuch")
    with pytest.raises(UserError, match="No such file"):
        openers.open_model("nosuch.safetensors")


def test_a_prefix_opens_what_it_names(monkeypatch):
    monkeypatch.setitem(openers.OPENERS, "own", lambda rest: (torch.nn.Identity(), rest))
    assert openers.open_model("own:a:b")[1] == "a:b"


@pytest.mark.parametrize("prefix", ["zero-shot", "authors"])
def test_a_prefix_without_a_model_is_a_users_error(prefix):
    with pytest.raises(UserError):
        openers.open_model(f"{prefix}:/nosuch")
