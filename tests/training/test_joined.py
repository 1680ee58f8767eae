import numpy as np
import pytest
import torch

from iqa.training import StemMaps
from iqa.training.examples import Augmentation
from iqa.training.joined import Joined


def maps(values):
    """A map a value, filled with it, which is its target too."""
    filled = np.zeros((2, len(values), 3, 8, 8), np.float16)
    filled += np.array(values, np.float16)[:, None, None, None]
    return StemMaps(filled, torch.tensor(values), stride=16)


def test_parts_follow_each_other():
    joined = Joined((maps([1.0, 2.0]), maps([3.0]), maps([4.0, 5.0])))
    assert len(joined) == 5
    assert joined.targets.tolist() == [1, 2, 3, 4, 5]
    for position in range(5):
        pixels, target = joined[position]
        assert float(pixels.unique()) == float(target) == position + 1


@pytest.mark.parametrize("position", [-6, 2, 7])
def test_there_is_nothing_beyond_the_end(position):
    with pytest.raises(IndexError):
        Joined((maps([1.0]), maps([2.0])))[position]


def test_all_parts_are_augmented():
    joined = Joined((maps([1.0]), maps([2.0]))).augmented(Augmentation(64, True, 0, 1))
    assert [joined[i][0].shape for i in range(2)] == [(3, 4, 4)] * 2


def test_they_are_described_in_their_order():
    one, two = maps([1.0]), maps([2.0])
    assert [*Joined((one, two)).described()] == [*one.described(), *two.described()]
    assert [*Joined((one, two)).described()] != [*Joined((two, one)).described()]
