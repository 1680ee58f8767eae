import pytest
import torch
from pydantic import ValidationError

from iqa.errors import UserError
from iqa.training import REGIMES, SCHEDULES, FineTuning
from iqa.training.adaptation import optimizer_of, train_mode

RATES = {"head_learning_rate": 1e-2, "backbone_learning_rate": 1e-3}


def optimizer(small, regime, **config):
    model = small.tiny("resnet/tiny")
    config = FineTuning(regime=regime, **RATES, **config)
    REGIMES[regime](model, config)
    return model, optimizer_of(model, config)


@pytest.mark.parametrize("regime", REGIMES)
def test_head_and_backbone_learn_at_their_own_rates(small, regime):
    model, adam = optimizer(small, regime, weight_decay=0.1)
    of = {id(p): group for group in adam.param_groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        trained = (
            name.startswith("head.")
            or {
                "frozen": False,
                "lora": ".lora_" in name,
                "full": True,
            }[regime]
        )
        assert (id(parameter) in of) == parameter.requires_grad == trained, name
        if trained:
            rate = 1e-2 if name.startswith("head.") else 1e-3
            assert (of[id(parameter)]["lr"], of[id(parameter)]["weight_decay"]) == (rate, 0.1)


def rates(small, schedule, steps):
    _, adam = optimizer(small, "full")
    plan = SCHEDULES[schedule](adam, steps)
    seen = []
    for _ in range(steps):
        seen.append([group["lr"] for group in adam.param_groups])
        adam.step()
        plan.step()
    return torch.tensor(seen)


def test_constant_rates_stay(small):
    torch.testing.assert_close(rates(small, "constant", 5), torch.tensor([[1e-2, 1e-3]] * 5))


@pytest.mark.parametrize("steps", [2, 3, 10, 37])
def test_one_cycle_rises_and_falls_over_all_steps(small, steps):
    seen = rates(small, "one-cycle", steps) / torch.tensor([1e-2, 1e-3])
    torch.testing.assert_close(seen[:, 0], seen[:, 1])  # both groups alike
    top = seen[:, 0].argmax()
    assert (seen[: top + 1, 0].diff() > 0).all()
    assert (seen[top:, 0].diff() < 0).all()
    assert seen[-1].max() < 1e-4
    if steps == 10:
        assert top == 2
        torch.testing.assert_close(seen[2], torch.ones(2))


def test_batch_normalisation_alone_stays_in_evaluation_mode(small):
    model = small.tiny("resnet/tiny")
    train_mode(model)
    modes = {
        isinstance(module, torch.nn.BatchNorm2d): module.training
        for module in model.modules()
        if not list(module.children())
    }
    assert modes == {True: False, False: True}


def test_adapters_depend_on_the_seed_alone(small, same):
    def adapters(seed, state):
        model = small.tiny()
        torch.manual_seed(state)
        before = torch.get_rng_state()
        REGIMES["lora"](model, FineTuning(regime="lora", seed=seed))
        assert torch.equal(torch.get_rng_state(), before)
        return {n: p.detach() for n, p in model.named_parameters() if "lora_A" in n}

    assert same(adapters(0, 3), adapters(0, 4))
    assert not same(adapters(0, 3), adapters(1, 3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"regime": "half"}, "unknown regime 'half': choose one of frozen, lora, full"),
        ({"schedule": "cosine"}, "unknown schedule 'cosine'"),
        ({"objective": "mae"}, "unknown objective 'mae'"),
    ],
)
def test_unknown_names(change, message):
    with pytest.raises(UserError, match=message):
        FineTuning(**{"regime": "full"} | change)


@pytest.mark.parametrize(
    "change",
    [{"precision": "fp16"}, {"epochs": 0}, {"crop": 31}, {"seed": -1}, {"learning_rate": 1e-3}],
)
def test_bad_settings(change):
    with pytest.raises(ValidationError, match=next(iter(change))):
        FineTuning(regime="full", **change)
