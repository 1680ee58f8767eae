import numpy as np
import pandas as pd
import pytest

from iqa.errors import UserError
from iqa.evaluation import srcc, summarize_heads, summarize_variants


def predictions(noise, heads=("relu", "sigmoid"), seeds=(8, 19), images=60):
    """A row an image for each head, variant and seed: the target with the variant's noise."""
    rng = np.random.default_rng(1)
    target = rng.random(images)
    ids = [f"i{n}" for n in range(images)]
    parts = [
        pd.DataFrame({"id": ids, "group": ids, "target": target, "fold": 0, "side": "test"}).assign(
            head=head,
            variant=variant,
            seed=seed,
            prediction=target + strength * rng.standard_normal(images),
        )
        for head in heads
        for variant, strength in noise.items()
        for seed in seeds
    ]
    return pd.concat(parts, ignore_index=True)


def test_a_variant_is_compared_with_the_baseline_of_its_own_head():
    made = predictions({"clean": 0.2, "noisy": 2.0})
    summary = summarize_variants(made, "clean", resamples=300)
    assert list(summary["head"]) == ["relu", "relu", "sigmoid", "sigmoid"]
    assert list(summary["variant"]) == ["clean", "noisy"] * 2
    for head, part in summary.set_index("variant").groupby("head"):
        by_seed = made[made["head"] == head].groupby(["variant", "seed"])
        expected = by_seed.apply(lambda t: srcc(t["prediction"], t["target"])).groupby("variant")
        assert part["srcc"].to_dict() == pytest.approx(expected.mean().to_dict())
        gap = part.loc["noisy"]
        assert gap["difference"] == pytest.approx(gap["srcc"] - part.loc["clean", "srcc"])
        assert gap["low_gap"] < gap["difference"] < gap["high_gap"] < 0
        assert gap["p_holm"] < 0.05
        assert part.loc["clean", ["difference", "low_gap", "high_gap", "p", "p_holm"]].isna().all()


def test_one_head_gives_the_table_that_heads_give():
    made = predictions({"a": 0.3, "b": 0.4}, heads=("relu",))
    summary = summarize_variants(made, "a", resamples=200)
    heads = summarize_heads(made.assign(head=made["variant"]), "a", 200).heads
    pd.testing.assert_frame_equal(
        summary[["variant", "srcc", "low", "high"]],
        heads[["head", "srcc", "low", "high"]].rename(columns={"head": "variant"}),
    )


def test_validation_rows_do_not_count():
    made = predictions({"a": 0.3, "b": 0.4})
    more = made.assign(side="val", prediction=0.0)
    both = pd.concat([made, more], ignore_index=True)
    pd.testing.assert_frame_equal(
        summarize_variants(both, "a", 100), summarize_variants(made, "a", 100)
    )


def test_a_missing_prediction_and_a_missing_baseline_are_said():
    made = predictions({"a": 0.3, "b": 0.4})
    with pytest.raises(UserError, match="not one per head, seed and image"):
        summarize_variants(made.iloc[1:], "a", 100)
    with pytest.raises(UserError, match="none"):
        summarize_variants(made, "none", 100)
