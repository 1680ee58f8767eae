import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iqa.training import FineTuning
from iqa.training.steps import count_steps, plan, window_of

number = st.integers(1, 5)


@given(n=st.integers(1, 60), size=number, accumulation=number, world=number, epoch=number)
def test_every_image_counts_once_an_epoch_and_all_of_a_step_alike(
    n, size, accumulation, world, epoch
):
    config = FineTuning(regime="full", batch_size=size, accumulation=accumulation)
    plans = [plan(n, config, epoch, rank, world) for rank in range(world)]
    assert {len(steps) for steps in plans} == {count_steps(n, config, world)}
    seen = []
    for k in range(len(plans[0])):
        step = [batch for steps in plans for batch in steps[k]]
        images = sum(batch.counted for batch in step)
        assert images <= window_of(config, world)
        for batch in step:
            assert 1 <= len(batch.positions) <= size
            assert batch.counted in (0, len(batch.positions))
            assert batch.weight == pytest.approx(batch.counted / images)
            seen += batch.positions[: batch.counted]
        # DistributedDataParallel would wait for ever for a process that has nothing to do.
        assert all(1 <= len(steps[k]) <= accumulation for steps in plans)
    assert sorted(seen) == list(range(n))


def test_the_order_is_another_in_each_epoch_and_the_same_again():
    config = FineTuning(regime="full", batch_size=50)

    def order(epoch, seed=0):
        return plan(50, config.model_copy(update={"seed": seed}), epoch, 0, 1)[0][0].positions

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert order(1) != order(1, seed=1)
    assert order(1) != sorted(order(1))


def test_only_the_last_step_is_short():
    config = FineTuning(regime="full", batch_size=2, accumulation=2)
    sizes = [[len(b.positions) for b in step] for step in plan(11, config, 1, 0, 1)]
    assert sizes == [[2, 2], [2, 2], [2, 1]]
    assert np.isclose(
        [[b.weight for b in s] for s in plan(11, config, 1, 0, 1)][2], [2 / 3, 1 / 3]
    ).all()
