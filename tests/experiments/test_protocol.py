import pytest
from pydantic import ValidationError

from iqa.errors import UserError
from iqa.experiments.protocol import PUBLISHED, RIGOROUS, find


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
