import pandas as pd
import pytest
from small_study import small_study

from iqa.errors import UserError
from iqa.experiments.learning_rates import (
    OWN,
    START,
    at_each_rate,
    check_rates,
    choose_rates,
)
from iqa.experiments.study import cross_validate

RATES = (1e-4, 3e-2)


@pytest.fixture(scope="module")
def trained():
    """Test predictions and history of a small study at two rates."""
    study, prepared = small_study()
    parts, histories = [], []
    for rate in RATES:
        part, history = cross_validate(study.but(learning_rate=rate), prepared, ["test"])
        parts.append(part.assign(learning_rate=rate))
        histories.append(history.assign(learning_rate=rate))
    return pd.concat(parts, ignore_index=True), pd.concat(histories, ignore_index=True)


def history(values):
    """One epoch kept of each rate, and a better one that was not."""
    rows = [
        {"head": "relu", "seed": 8, "split": 0, "fold": 0, "learning_rate": rate, "val_srcc": value}
        for rate, value in values
    ]
    kept = pd.DataFrame(rows).assign(chosen=True)
    return pd.concat([kept, kept.assign(val_srcc=0.99, chosen=False)], ignore_index=True)


@pytest.mark.parametrize(
    ("values", "own"),
    [
        ([(1e-4, 0.3), (1e-3, 0.5), (1e-2, 0.4)], 1e-3),
        ([(1e-3, 0.5), (1e-4, 0.5)], 1e-4),  # of equal ones the lower
        ([(1e-4, float("nan")), (1e-3, -0.2)], 1e-3),  # constant predictions are worst
        ([(1e-3, float("nan")), (1e-4, float("nan"))], 1e-4),
    ],
)
def test_the_rate_of_the_best_validation_srcc_wins(values, own):
    table = choose_rates(history(values))
    assert table.loc[table["own"], "learning_rate"].tolist() == [own]
    assert len(table) == len(values)


def test_each_fold_and_seed_chooses_for_itself():
    one, other = history([(1e-4, 0.3), (1e-3, 0.5)]), history([(1e-4, 0.6), (1e-3, 0.5)])
    table = choose_rates(pd.concat([one, other.assign(fold=1)], ignore_index=True))
    assert table[table["own"]].set_index("fold")["learning_rate"].to_dict() == {0: 1e-3, 1: 1e-4}


def test_the_own_predictions_are_those_at_the_chosen_rate(trained):
    predictions, past = trained
    choices = choose_rates(past)
    both = at_each_rate(predictions, choices, RATES[0])
    by_rate = predictions.set_index([*START, "id", "learning_rate"])["prediction"]
    own = choices[choices["own"]].set_index(START)["learning_rate"]
    assert len(own) == 2 * 3 * 2
    tested = both[both["training"] == OWN]
    assert len(tested) == 2 * 2 * 60
    for row in tested.itertuples():
        start = tuple(getattr(row, name) for name in START)
        assert by_rate[(*start, row.id, own[start])] == row.prediction
    assert (both.loc[both["training"] == "paper", "learning_rate"] == RATES[0]).all()


def test_what_validation_says_is_the_best_epoch_of_each_rate(trained):
    _, past = trained
    best = past.groupby([*START, "learning_rate"])["val_srcc"].max()
    said = choose_rates(past).set_index([*START, "learning_rate"])["val_srcc"]
    assert said.to_dict() == best.to_dict()


@pytest.mark.parametrize(
    ("rates", "reference", "fault"),
    [
        ([1e-4, 1e-3], 3e-4, "reference learning rate 0.0003 is not among"),
        ([1e-4, 1e-4], 1e-4, "expected positive ones, each once"),
        ([0.0, 1e-4], 1e-4, "expected positive ones"),
        ([], 1e-4, "expected positive ones"),
    ],
)
def test_rates_that_cannot_be_compared_are_refused(rates, reference, fault):
    with pytest.raises(UserError, match=fault) as caught:
        check_rates(rates, reference)
    assert "\n" not in str(caught.value)
