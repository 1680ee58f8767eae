import pytest
from pydantic import ValidationError

from iqa.errors import UserError
from iqa.evaluation import evaluate
from iqa.experiments.protocol import PROTOCOLS, PUBLISHED, RIGOROUS, find


def test_the_two_protocols_differ_in_every_field():
    pairs = zip(PUBLISHED.model_dump().values(), RIGOROUS.model_dump().values(), strict=True)
    assert all(one != other for one, other in pairs)
    assert find("published") is PUBLISHED
    with pytest.raises(UserError, match="unknown protocol 'rigourous': choose one of published"):
        find("rigourous")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "kfold"}, "unknown split 'kfold'"),
        ({"objective": "mae"}, "unknown objective 'mae'"),
        ({"split": "published"}, "the split `published` has none"),
        ({"split": "published", "checkpoint": "last"}, "plcc='val' needs validation images"),
        ({"split": "published", "plcc": "test"}, "checkpoint='validation'"),
    ],
)
def test_what_does_not_exist_or_does_not_fit_is_refused(changes, message):
    with pytest.raises(UserError, match=message) as caught:
        RIGOROUS.but("mine", **changes)
    assert "\n" not in str(caught.value)


def test_words_outside_the_lists_are_refused_and_nothing_can_be_changed():
    with pytest.raises(ValidationError, match="'validation', 'test' or 'last'"):
        RIGOROUS.but("mine", checkpoint="best")
    with pytest.raises(ValidationError, match="frozen"):
        RIGOROUS.drop_last = True


def test_each_protocol_reports_a_figure_that_there_is():
    columns = evaluate([1, 2, 3, 4, 5, 6], [1, 3, 2, 6, 4, 5])
    assert {
        kind: RIGOROUS.but("mine", plcc=kind).plcc_column for kind in ("raw", "val", "test")
    } == {
        "raw": "plcc_raw",
        "val": "plcc_val_fit",
        "test": "plcc_test_fit",
    }
    assert all(protocol.plcc_column in columns for protocol in PROTOCOLS.values())
