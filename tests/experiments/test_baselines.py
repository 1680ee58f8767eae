import numpy as np
import pandas as pd
from small_study import small_study

from iqa.evaluation import single_splits
from iqa.experiments.baselines import regress
from iqa.experiments.study import cross_validate

STUDY, PREPARED = small_study()
ONE = STUDY.but(seeds=(8,))


def test_regressors_are_tested_on_the_images_of_the_heads():
    heads, _ = cross_validate(STUDY, PREPARED, ["test"])
    ridge, fits = regress(STUDY, PREPARED, ["ridge"])
    assert ridge.groupby("seed")["id"].nunique().to_dict() == {8: 60, 19: 60}
    by_seed = [part.set_index("id")["prediction"].sort_index() for _, part in ridge.groupby("seed")]
    pd.testing.assert_series_equal(*by_seed)
    assert list(fits["fold"]) == [0, 1, 2]
    assert (fits["settings"].str.startswith("alpha ")).all()
    both = pd.concat([heads.assign(regressor="MLP"), ridge])
    table = single_splits(both, ["regressor", "head"], 0.5).table("srcc")
    assert table.set_index("regressor").loc["ridge", "srcc"] > 0.9


def test_what_is_chosen_never_depends_on_the_test_images():
    rng = np.random.default_rng(1)
    same = PREPARED.first_splits(1)
    test = PREPARED.rows(same.splits[0].test)
    targets = PREPARED.targets.copy()
    targets[test] = rng.random(len(test))
    other = type(PREPARED)(PREPARED.data, PREPARED.features, targets, same.splits)
    (a, chosen_a), (b, chosen_b) = regress(ONE, same), regress(ONE, other)
    pd.testing.assert_frame_equal(chosen_a, chosen_b)
    np.testing.assert_array_equal(a["prediction"], b["prediction"])
    assert not np.array_equal(a["target"], b["target"])


def test_other_values_take_the_place_of_the_features():
    values = np.random.default_rng(0).normal(size=(60, 3))
    noise, _ = regress(ONE, PREPARED, ["ridge"], values)
    assert abs(noise["prediction"].corr(noise["target"])) < 0.5
