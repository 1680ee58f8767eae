from unicodedata import normalize

import numpy as np
import pandas as pd
import pytest

from iqa.agreement import Ratings, match, ratings_in, read_predictions
from iqa.errors import UserError


@pytest.mark.parametrize("name", ["mine.csv", "mine.parquet"])
def test_columns_are_guessed_and_shown(made, write, name):
    found = read_predictions(write(name, made(0.5)))
    assert str(found).endswith(
        f"{name}: image `image`, prediction `score`, rating `mos`, group `scene`"
    )
    assert found.name == "mine"
    pd.testing.assert_series_equal(found.table["prediction"], made(0.5)["score"], check_names=False)


@pytest.mark.parametrize(
    ("header", "prediction", "rating"),
    [
        (["path", "score", "MOS"], "score", "MOS"),
        (["path", "score", "Prediction"], "Prediction", "score"),
        (["file_name", "CLIPIQA+", "dmos"], "CLIPIQA+", "dmos"),
        (["id", "pred", "Ground Truth"], "pred", "Ground Truth"),
    ],
)
def test_usual_names_whatever_their_spelling(write, header, prediction, rating):
    path = write("t.csv", pd.DataFrame([["a", 1, 2], ["b", 2, 3], ["c", 3, 1]], columns=header))
    found = read_predictions(path).columns
    assert (found["prediction"], found["rating"]) == (prediction, rating)


def test_what_iqa_score_writes_is_read_and_a_failed_image_is_named(write):
    table = pd.DataFrame({"path": list("abc"), "score": [1.0, 2.0, 3.0], "error": "", "model": "m"})
    assert read_predictions(write("s.csv", table)).columns["prediction"] == "score"
    table.loc[1, "score"] = np.nan
    with pytest.raises(UserError, match=r"row 2 \(b\): prediction is empty, expected a finite"):
        read_predictions(write("s.csv", table))


def test_columns_are_named_where_guessing_would_err(made, write):
    table = made(0.5).assign(other=made(2.0)["score"])
    found = read_predictions(write("a.csv", table), {"prediction": "other"}, better="lower")
    np.testing.assert_allclose(found.table["prediction"], -table["other"])
    with pytest.raises(UserError, match="column `nosuch` not found"):
        read_predictions(write("a.csv", table), {"prediction": "nosuch"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: pd.concat([t, t[:7]]), "7 of 127 rows repeat an image, the first is 'img/000"),
        (
            lambda t: t.replace({"score": t["score"][3]}, np.nan),
            "row 4 (img/003.png): prediction is",
        ),
        (lambda t: t.assign(score="good"), "prediction is 'good', expected a finite number"),
        (lambda t: t.assign(score=np.inf), "prediction is 'inf', expected a finite number"),
        (lambda t: t.assign(score=0.5), "every prediction is 0.5, so no correlation is defined"),
        (lambda t: t.assign(mos=3), "every rating is 3, so no correlation is defined"),
        (lambda t: t[:2], "2 images, expected 3 or more"),
        (lambda t: t.assign(image=[None, *t["image"][1:]]), "row 1: no image is named"),
        (
            lambda t: t.assign(image=["é.jpg", "e\u0301.jpg", *t["image"][2:]]),
            "1 of 120 rows repeat an image, the first is 'é.jpg'",
        ),
        (lambda t: t[["scene", "mos", "score"]], "no column of images recognised"),
        (lambda t: t[["image", "scene"]], "no column of predictions recognised (found: image,"),
    ],
)
@pytest.mark.parametrize("name", ["bad.csv", "bad.parquet"])
def test_a_bad_table_is_one_line(made, write, change, said, name):
    with pytest.raises(UserError) as caught:
        read_predictions(write(name, change(made(0.5))))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_columns_of_one_name_are_one_line(made, tmp_path):
    for header in ("image,mos,score,score", "image,image,mos,score", "image,mos,mos,score"):
        path = tmp_path / "t.csv"
        path.write_text(f"{header}\na,1,2,3\nb,2,3,4\nc,3,5,7\n")
        with pytest.raises(UserError, match=r"t\.csv: two columns are called `"):
            read_predictions(path)


def test_a_file_that_is_no_table_is_one_line(tmp_path):
    (tmp_path / "a.parquet").write_text("image,score\n")
    with pytest.raises(UserError, match="cannot be read as Parquet"):
        read_predictions(tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"predictions .*nosuch.csv not found"):
        read_predictions(tmp_path / "nosuch.csv")


def test_three_images_are_enough(write):
    table = pd.DataFrame({"id": list("abc"), "pred": [1, 2, 3], "mos": [1, 3, 2]})
    assert len(read_predictions(write("a.csv", table)).table) == 3


def tables(write, *parts):
    return [read_predictions(write(f"m{n}.csv", part)) for n, part in enumerate(parts)]


def test_models_are_matched_by_id_whatever_their_order(made, write):
    one, two = made(0.1), made(0.2, seed=2)
    read = tables(write, one, two.sample(frac=1, random_state=0).drop(columns=["mos", "scene"]))
    found = match(read, ratings_in(read))
    assert list(found.predictions) == ["m0", "m1"]
    np.testing.assert_allclose(found.predictions["m1"], two["score"])
    assert found.contents == 60


def test_else_by_file_name(made, write):
    one = made(0.1)
    read = tables(write, one, one.assign(image="C:\\out\\" + one["image"].str[4:]))
    assert (
        match(read, ratings_in(read[:1]))
        .predictions["m1"]
        .equals(match(read, ratings_in(read[:1])).predictions["m0"].rename("m1"))
    )


def test_missing_and_extra_images_are_counted_unless_the_common_ones_are_meant(made, write):
    one = made(0.1)
    other = pd.concat([one[3:], one[:2].assign(image=["x.png", "y.png"])])
    read = tables(write, one, other)
    with pytest.raises(UserError) as caught:
        match(read, ratings_in(read[:1]))
    assert (
        "3 of 120 rated images have no prediction, the first is 'img/000.png'; 2 of 119 "
        "predictions are for no rated image, the first is 'x.png'" in str(caught.value)
    )
    found = match(read, ratings_in(read[:1]), common=True)
    assert len(found.predictions) == 117
    assert found.notes == (
        "3 of 120 rated images are left out",
        "m0: 3 predictions are left out",
        "m1: 2 predictions are left out",
    )
    apart = tables(write, one, one.assign(image=[f"{n}.jpg" for n in range(120)]))
    with pytest.raises(UserError, match="0 images are rated in"):
        match(apart, ratings_in(read[:1]), common=True)


def test_test_images_that_nobody_rated_do_not_vanish(made, write):
    one = made(0.1)
    read = tables(write, one)
    tested = [*one["image"][60:], "img/new.png", "img/new2.png"]
    with pytest.raises(UserError) as caught:
        match(read, ratings_in(read), among=tested)
    said = "2 of 62 test images have no rating in "
    assert str(caught.value).startswith(f"split: {said}")
    assert "the first is 'img/new.png'" in str(caught.value)
    found = match(read, ratings_in(read), common=True, among=tested)
    assert len(found.predictions) == 60
    assert found.notes[0].startswith(said)
    assert found.notes[0].endswith("they are left out")


def test_the_test_side_may_be_named_by_other_folders(made, write):
    one = made(0.1)
    read = tables(write, one)
    found = match(read, ratings_in(read), among=["/data/" + name for name in one["image"][60:]])
    assert found.ratings.images["id"].tolist() == one["image"][60:].tolist()


def test_what_is_constant_on_the_test_side_is_refused(made, write):
    one = made(0.1)
    half = one.assign(score=one["score"].where(one.index < 60, 5.0))
    read = tables(write, one, half)
    assert match(read, ratings_in(read)).predictions.shape == (120, 2)
    with pytest.raises(UserError, match="m1: the predictions for these 60 images are all 5, so"):
        match(read, ratings_in(read), among=list(one["image"][60:]))


def test_a_letter_is_the_same_however_unicode_spells_it(made, write):
    one = made(0.1)
    names = "é" + one["image"].str[4:]
    mac = names.map(lambda name: normalize("NFD", name))
    ratings = Ratings(one.assign(id=mac, rating=one["mos"], group=mac), "a Mac", "MOS", False)
    read = tables(write, one.assign(image=mac))
    assert match(read, ratings).ratings.images["id"].tolist() == mac.tolist()
    assert len(match(read, ratings_in(read), among=list(mac[60:])).predictions) == 60


def test_one_faulty_cell_does_not_make_another_column_the_predictions(made, write):
    table = made(0.5).rename(columns={"score": "mymodel"}).astype({"mymodel": object})
    table.loc[4, "mymodel"] = "error"
    with pytest.raises(UserError, match=r"row 5 .* 'error'"):
        read_predictions(write("m.csv", table.assign(width=640)))
    two = table.assign(other=range(120))
    with pytest.raises(UserError, match="no column of predictions recognised"):
        read_predictions(write("m.csv", two))
    with pytest.raises(UserError, match="no column of predictions recognised"):
        read_predictions(write("m.csv", made(0.5).drop(columns="score").assign(std=1.5)))


def test_contents_are_taken_from_any_table_and_must_not_differ(made, write):
    one = made(0.1)
    read = tables(write, one.drop(columns="scene"), one.sample(frac=1, random_state=1))
    assert match(read, ratings_in(read)).contents == 60
    named = tables(write, one, one.assign(scene="x" + one["scene"]))
    assert match(named, ratings_in(named)).contents == 60
    other = tables(write, one, one.assign(scene=np.repeat(range(40), 3)))
    with pytest.raises(UserError, match="put the images into different contents"):
        ratings_in(other)


def test_dmos_needs_its_direction(made, write):
    one = made(0.1)
    read = tables(write, one.assign(dmos=-one["mos"]).drop(columns="mos"))
    with pytest.raises(UserError, match=r"in column `dmos` .* say which by --rating-better higher"):
        ratings_in(read)
    turned = ratings_in(read, "lower")
    np.testing.assert_allclose(turned.images["rating"], one["mos"])
    assert turned.unit == "ratings in column dmos, negated"
    np.testing.assert_allclose(ratings_in(read, "higher").images["rating"], -one["mos"])


def test_ratings_are_needed_and_must_agree(made, write):
    one = made(0.1)
    with pytest.raises(UserError, match="no column of ratings recognised"):
        ratings_in(tables(write, one.drop(columns="mos")))
    changed = one.assign(mos=one["mos"] + (one.index == 5))
    with pytest.raises(UserError, match=r"rate 1 images differently, the first is 'img/005.png'"):
        ratings_in(tables(write, one, changed))
    elsewhere = changed.assign(image="out/" + changed["image"])
    with pytest.raises(UserError, match=r"rate 1 images differently, the first is 'img/005.png'"):
        ratings_in(tables(write, one, elsewhere))


def test_columns_that_are_not_asked_for_may_hold_anything(made, write):
    table = made(0.5).assign(mos="good", scene=None)
    found = read_predictions(write("a.csv", table), roles=("image", "prediction"))
    assert list(found.columns) == list(found.table.columns.str.replace("id", "image"))
    with pytest.raises(UserError, match="rating is 'good', expected a finite number"):
        read_predictions(write("a.csv", table))


def test_the_index_of_a_parquet_file_may_hold_the_images(made, tmp_path):
    table = made(0.5)
    table.set_index("image").to_parquet(tmp_path / "named.parquet")
    assert read_predictions(tmp_path / "named.parquet").table["id"].equals(table["image"])
    table[::2].to_parquet(tmp_path / "counted.parquet")  # an index that only counts rows
    assert len(read_predictions(tmp_path / "counted.parquet").table) == len(table[::2])


def test_predictions_without_a_value_are_not_replaced_by_another_column(made, write):
    table = made(0.5).assign(prediction=None)
    with pytest.raises(UserError, match="prediction is empty"):
        read_predictions(write("a.csv", table))
    # What need not be there may be empty.
    found = read_predictions(write("b.csv", made(0.5).assign(scene=None)))
    assert "group" not in found.columns


def test_contents_count_where_one_table_lacks_images_that_are_left_out(made, write):
    one = made(0.1)
    read = tables(write, one.drop(columns="scene"), one[2:])
    found = match(read, ratings_in(read), common=True)
    assert len(found.predictions) == len(one) - 2
    assert found.contents == one[2:]["scene"].nunique()
    assert found.ratings.contents_known
