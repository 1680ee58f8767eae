import numpy as np
import pandas as pd
import pytest

from iqa.errors import UserError
from iqa.evaluation import compare_reports, plcc, srcc, summarize_variants


def report(noise, seeds=(8, 19), images=60, each=2):
    """Predictions of one head: the target with noise, in 3 folds; `each` images a content."""
    rng = np.random.default_rng(1)
    target = rng.random(images)
    about = {
        "id": [f"i{n}" for n in range(images)],
        "group": [f"g{n // each}" for n in range(images)],
        "fold": [n % 3 for n in range(images)],
        "target": target,
        "side": "test",
        "head": "relu",
    }
    return pd.concat(
        [
            pd.DataFrame(about).assign(
                seed=seed, prediction=target + noise * rng.standard_normal(images)
            )
            for seed in seeds
        ],
        ignore_index=True,
    )


def test_on_the_same_images_it_is_the_paired_comparison_of_variants():
    reports = {"clean": report(0.2), "noisy": report(1.0), "noisier": report(3.0)}
    found = compare_reports(reports, "clean", resamples=300).set_index("report")
    both = pd.concat([rows.assign(variant=name) for name, rows in reports.items()])
    expected = summarize_variants(both, "clean", resamples=300).set_index("variant")
    for name in ("noisy", "noisier"):
        assert found.loc[name, "value"] == pytest.approx(expected.loc[name, "srcc"])
        assert found.loc[name, "baseline"] == pytest.approx(expected.loc["clean", "srcc"])
        columns = ["difference", "low_gap", "high_gap", "p"]
        assert found.loc[name, ["difference", "low", "high", "p"]].tolist() == pytest.approx(
            expected.loc[name, columns].tolist()
        )


def test_reports_may_be_of_other_images():
    whole = report(0.5, seeds=(8,))
    half = whole[whole["target"] < 0.5]
    found = compare_reports({"whole": whole, "half": half}, "whole", resamples=300).iloc[0]
    assert found["value"] == pytest.approx(srcc(half["prediction"], half["target"]))
    assert found["difference"] == pytest.approx(found["value"] - found["baseline"])
    assert found["low"] < found["difference"] < found["high"]


def test_what_is_shared_is_paired():
    whole = report(0.5)
    same = compare_reports({"a": whole, "b": whole.copy()}, "a", resamples=200).iloc[0]
    assert (same["low"], same["difference"], same["high"]) == (0, 0, 0)


def test_a_figure_is_averaged_over_seeds_and_folds():
    clean, noisy = report(0.2), report(1.0)
    reports = {"clean": clean, "noisy": noisy}
    found = compare_reports(reports, "clean", "plcc", ("seed", "fold"), resamples=50).iloc[0]
    by_fold = [plcc(p["prediction"], p["target"]) for _, p in noisy.groupby(["seed", "fold"])]
    assert found["value"] == pytest.approx(np.mean(by_fold))


def test_a_fold_that_is_undefined_in_one_report_counts_in_none():
    clean, flat = report(0.2), report(1.0)
    flat.loc[flat["fold"] == 0, "prediction"] = 0.5
    both = {"clean": clean, "flat": flat}
    found = compare_reports(both, "clean", by=("seed", "fold"), resamples=50)
    rest = {name: rows[rows["fold"] != 0] for name, rows in both.items()}
    expected = compare_reports(rest, "clean", by=("seed", "fold"), resamples=50)
    columns = ["baseline", "value", "difference"]
    assert found[columns].to_numpy() == pytest.approx(expected[columns].to_numpy())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"figure": "rmsd"}, "unknown figure"),
        ({"baseline": "nobody"}, "unknown baseline"),
        ({"reports": {"a": report(0.2), "b": report(0.2, seeds=(8,))}}, "same values of seed"),
    ],
)
def test_what_cannot_be_compared_is_told(changes, said):
    given = {"reports": {"a": report(0.2), "b": report(1.0)}, "baseline": "a", "resamples": 20}
    with pytest.raises(UserError, match=said):
        compare_reports(**(given | changes))
