import warnings

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState

from iqa.backbones import REGISTRY
from iqa.errors import UserError
from iqa.models import ModelInfo, load_model, save_model
from iqa.training import FineTuning, ScoredImages, choice, fine_tune, finetune, predict

TINY = [name for name in REGISTRY if name.endswith("/tiny")]
PLAIN = {"objective": "mse", "dropout": 0.0, "epochs": 1, "workers": 0}


@pytest.fixture
def images(drawn):
    """Images for training and for the choice of an epoch."""
    paths, targets = drawn
    return ScoredImages(paths[:7], targets[:7], 64), ScoredImages(paths[7:], targets[7:], 64)


def average_gradients(model, images, positions):
    """The gradients of the mean squared error, image by image, by plain PyTorch."""
    for module in model.modules():
        module.training = False
    for position in positions:
        pixels, target = images[position]
        loss = (model(pixels[None]) - target).square().mean()
        (loss / len(positions)).backward()
    return {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


def assert_close(one, other, atol=1e-6, rtol=1e-4):
    assert list(one) == list(other)
    for name, values in one.items():
        torch.testing.assert_close(values, other[name], atol=atol, rtol=rtol, msg=name)


# ---- steps


@pytest.mark.parametrize("backbone", ["siglip2/tiny", "resnet/tiny"])
@pytest.mark.parametrize("n", [8, 7])
def test_accumulation_loses_no_batch(small, drawn, backbone, n):
    """Eight (or seven) images are one step, whole or in parts of two, as by plain PyTorch."""
    paths, targets = drawn
    about = {"n": n, "backbone": backbone, "regime": "full"} | PLAIN
    whole = small.run(paths, targets, batch_size=8, **about)
    parts = small.run(paths, targets, batch_size=2, accumulation=4, **about)
    assert len(whole["gradients"]) == len(parts["gradients"]) == 1
    assert_close(whole["gradients"][0], parts["gradients"][0])
    assert whole["history"]["train_loss"] == pytest.approx(parts["history"]["train_loss"])
    model = small.tiny(backbone)
    plain = average_gradients(model, ScoredImages(paths[:n], targets[:n], 64), range(n))
    assert_close(whole["gradients"][0], plain)


def test_an_incomplete_window_is_a_step_of_its_own(small, drawn):
    """Seven images in batches of two, two of them a step: the last step has three images."""
    paths, targets = drawn
    about = {"n": 7, "batch_size": 2, "accumulation": 2, "regime": "full"} | PLAIN
    rate = {"head_learning_rate": 1e-30, "backbone_learning_rate": 1e-30}
    steps = small.run(paths, targets, **about, **rate)["gradients"]
    order = [
        [p for batch in step for p in batch.positions]
        for step in finetune.plan(
            7, FineTuning(regime="full", batch_size=2, accumulation=2), 1, 0, 1
        )
    ]
    assert [len(step) for step in order] == [4, 3]
    images = ScoredImages(paths[:7], targets[:7], 64)
    for gradients, positions in zip(steps, order, strict=True):
        assert_close(gradients, average_gradients(small.tiny(), images, positions))


def test_every_image_is_read_once_an_epoch(small, images, monkeypatch):
    read = []
    usual = ScoredImages.__getitem__

    def listed(self, position):
        read.append(self.paths[position])
        return usual(self, position)

    monkeypatch.setattr(ScoredImages, "__getitem__", listed)
    config = FineTuning(regime="frozen", batch_size=2, accumulation=2, epochs=2, workers=2)
    fine_tune(small.tiny(), *images, config)
    train, val = images
    assert sorted(read) == sorted(2 * (train.paths + val.paths))


def test_a_schedule_takes_exactly_its_steps(small, images, monkeypatch):
    rates, usual = [], finetune.SCHEDULES["one-cycle"]

    def watched(optimizer, steps):
        optimizer.register_step_pre_hook(
            lambda o, *_: rates.append([group["lr"] for group in o.param_groups])
        )
        return usual(optimizer, steps)

    monkeypatch.setitem(finetune.SCHEDULES, "one-cycle", watched)
    config = FineTuning(
        regime="full",
        batch_size=2,
        accumulation=2,
        epochs=5,
        schedule="one-cycle",
        workers=0,
        head_learning_rate=1e-2,
        backbone_learning_rate=1e-3,
    )
    fine_tune(small.tiny(), *images, config)
    assert len(rates) == 10  # seven images, four a step, five epochs
    np.testing.assert_allclose(rates[2], [1e-2, 1e-3])
    np.testing.assert_allclose(rates[-1], 0, atol=1e-6)


# ---- regimes


@pytest.mark.parametrize("regime", ["frozen", "lora", "full"])
@pytest.mark.parametrize("backbone", TINY)
def test_a_regime_changes_what_it_should_and_nothing_else(small, drawn, same, backbone, regime):
    paths, targets = drawn
    size = REGISTRY[backbone].input_size
    images = [ScoredImages(paths[k::2], targets[k::2], size) for k in (0, 1)]
    model = small.tiny(backbone)
    before = {name: values.clone() for name, values in model.state_dict().items()}
    config = FineTuning(
        regime=regime, epochs=2, batch_size=3, workers=0, checkpoint="last", head_learning_rate=0.01
    )
    after = fine_tune(model, *images, config).model.state_dict()
    assert list(after) == list(before)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    heads = {name for name in before if name.startswith("head.")}
    statistics = {name for name in before if "running_" in name or "num_batches" in name}
    assert not moved & statistics
    assert heads <= moved
    if regime == "frozen":
        assert moved == heads
    if regime == "lora":
        # Queries and keys, never values; pointwise convolutions.
        adapted = {
            name
            for name, values in before.items()
            if name.endswith(("q_proj.weight", "k_proj.weight")) or values.shape[2:] == (1, 1)
        }
        assert adapted
        assert moved == heads | adapted
    if regime == "full":
        # DINO hides patches from itself in pretraining only.
        assert all(n.endswith("mask_token") for n in set(before) - moved - statistics)


@pytest.mark.parametrize("backbone", ["siglip2/tiny", "perception/tiny", "resnet/tiny"])
def test_adapters_are_merged_without_a_change_of_scores_and_saved(
    small, drawn, images, monkeypatch, tmp_path, same, backbone
):
    adapted = []
    usual = finetune.merge_lora

    def watched(body):
        assert any("lora_A" in name for name, _ in model.named_parameters())
        adapted.append(predict(model, images[1]))
        return usual(body)

    monkeypatch.setattr(finetune, "merge_lora", watched)
    model = small.tiny(backbone)
    before = predict(model, images[1])
    config = FineTuning(regime="lora", epochs=2, batch_size=2, backbone_learning_rate=0.05)
    tuned = fine_tune(model, *images, config).model
    merged = predict(tuned, images[1])
    assert np.abs(merged - before).max() > 1e-3
    np.testing.assert_allclose(merged, adapted[0], atol=1e-5)
    assert not tuned.training
    info = ModelInfo(
        name="t", backbone=backbone, head="gated", input_size=64, trained_on="-", untrained=True
    )
    save_model(tmp_path / "m.safetensors", tuned, info)
    loaded, _ = load_model(tmp_path / "m.safetensors")
    assert same(loaded.state_dict(), tuned.state_dict())
    np.testing.assert_allclose(predict(loaded, images[1]), merged, atol=1e-6)


def test_the_number_of_trained_parameters(small, images):
    head = sum(p.numel() for p in small.tiny().head.parameters())
    found = {
        regime: fine_tune(
            small.tiny(), *images, FineTuning(regime=regime, epochs=1, rank=2)
        ).trained
        for regime in ("frozen", "lora", "full")
    }
    adapters = 2 * 2 * 2 * (32 + 32)  # blocks, queries and keys, rank, width in and out
    whole = sum(p.numel() for p in small.tiny().parameters())
    assert found == {"frozen": head, "lora": head + adapters, "full": whole}


# ---- precision


def bf16_run(small, images, precision, regime="frozen", **config):
    model = small.tiny()
    with torch.no_grad():
        model.head.act1.g.fill_(0.5)
    kinds = set()
    for part in model.head.modules():
        part.register_forward_hook(lambda m, given, out: kinds.update([given[0].dtype, out.dtype]))
    config = {"epochs": 3, "batch_size": 2, "workers": 0, "checkpoint": "last"} | config
    tuned = fine_tune(model, *images, FineTuning(regime=regime, precision=precision, **config))
    return tuned, kinds


@pytest.mark.parametrize("regime", ["frozen", "lora", "full"])
def test_only_the_backbone_computes_in_bfloat16(small, images, regime):
    seen = []

    def look(module, given, out):
        seen.append(out.dtype)

    model = small.tiny()
    model.backbone.body.encoder.layers[0].mlp.fc1.register_forward_hook(look)
    kinds = set()
    for part in model.head.modules():
        part.register_forward_hook(lambda m, given, out: kinds.update([given[0].dtype, out.dtype]))
    config = FineTuning(regime=regime, precision="bf16", epochs=1, batch_size=4, workers=0)
    tuned = fine_tune(model, *images, config)
    assert kinds == {torch.float32}
    # Two steps of training in bfloat16, one batch of predictions in float32.
    assert seen == [torch.bfloat16, torch.bfloat16, torch.float32]
    assert {p.dtype for p in tuned.model.parameters()} == {torch.float32}


def test_the_gate_moves_in_bfloat16_as_it_does_in_float32(small, images):
    """Steps of 1e-4 from g = 0.5: bfloat16 has no number within 1e-3 of it, so g would stall."""
    start = torch.full((8,), 0.5)
    assert torch.equal((start.bfloat16() + 1e-4), start.bfloat16())
    moved = {}
    for precision in ("fp32", "bf16"):
        tuned, _ = bf16_run(small, images, precision)
        moved[precision] = tuned.model.head.act1.g.detach() - start
    assert (moved["bf16"].abs() > 1e-4).all()
    torch.testing.assert_close(moved["bf16"], moved["fp32"], rtol=0.1, atol=2e-5)


def test_predictions_are_float32_whatever_surrounds_them(small, images):
    model = small.tiny()
    expected = predict(model, images[0])
    assert expected.dtype == np.float32
    with torch.autocast("cpu", torch.bfloat16):
        np.testing.assert_array_equal(predict(model, images[0]), expected)
    np.testing.assert_allclose(predict(model, images[0], 1, 0), expected, atol=1e-6)
    plain = [float(model(images[0][p][0][None]).detach()) for p in range(7)]
    np.testing.assert_allclose(expected, plain, atol=1e-6)


def test_runs_of_one_process_do_not_influence_each_other(small, images, same):
    def weights(precision):
        return bf16_run(small, images, precision, "lora", epochs=1)[0].model.state_dict()

    first = weights("fp32")
    other = weights("bf16")
    assert not same(other, first)
    assert same(weights("fp32"), first)


def test_the_global_generator_is_left_alone(small, images):
    model = small.tiny()
    before = torch.get_rng_state()
    fine_tune(model, *images, FineTuning(regime="lora", epochs=1))
    assert torch.equal(torch.get_rng_state(), before)


# ---- gradient checkpointing


@pytest.mark.parametrize("regime", ["lora", "full"])
@pytest.mark.parametrize("backbone", TINY)
def test_checkpointing_gives_the_same_gradients(small, drawn, backbone, regime):
    about = {"n": 4, "batch_size": 4, "regime": regime, "backbone": backbone} | PLAIN
    about["size"] = REGISTRY[backbone].input_size
    kept = small.run(*drawn, **about)["gradients"]
    again = small.run(*drawn, gradient_checkpointing=True, **about)["gradients"]
    assert_close(kept[0], again[0])


def test_where_there_is_no_checkpointing_it_is_said(small, images):
    model = small.tiny("efficientnet_lite0/middle")
    config = FineTuning(regime="full", gradient_checkpointing=True)
    with pytest.raises(UserError, match="has no gradient checkpointing: train without it"):
        fine_tune(model, *images, config)


# ---- the epoch that is kept


@pytest.mark.parametrize(
    ("found", "best"),
    [
        ([0.1, 0.3, 0.3], 2),
        ([0.3, 0.1, 0.2], 1),
        ([np.nan, -0.5, np.nan], 2),
        ([-0.5, np.nan, np.nan], 1),
        ([np.nan] * 3, 1),
    ],
)
@pytest.mark.parametrize("checkpoint", ["best", "last"])
def test_the_epoch_that_is_kept(small, images, same, monkeypatch, found, best, checkpoint):
    given = iter(found)
    monkeypatch.setattr(choice, "srcc", lambda *_: next(given))
    about = {"regime": "lora", "batch_size": 4, "workers": 0}
    config = FineTuning(epochs=3, checkpoint=checkpoint, **about)
    tuned = fine_tune(small.tiny(), *images, config)
    expected = best if checkpoint == "best" else 3
    assert tuned.history["chosen"].tolist() == [k == expected for k in (1, 2, 3)]
    np.testing.assert_array_equal(tuned.history["val_srcc"], found)
    monkeypatch.setattr(choice, "srcc", lambda *_: 0.0)
    until = FineTuning(epochs=expected, checkpoint="last", **about)
    assert same(
        tuned.model.state_dict(), fine_tune(small.tiny(), *images, until).model.state_dict()
    )


def test_constant_predictions_have_no_correlation():
    assert np.isnan(choice.srcc(np.ones(4), np.arange(4.0)))
    assert choice.srcc(np.array([1.0, 2, 3, 5]), np.arange(4.0)) == pytest.approx(1)


def test_training_learns(small, drawn):
    paths, targets = drawn
    images = ScoredImages(paths, targets, 64)
    config = FineTuning(
        regime="full", epochs=15, batch_size=5, head_learning_rate=1e-2, backbone_learning_rate=1e-3
    )
    tuned = fine_tune(small.tiny("resnet/tiny", pooling="mean+std"), images, images, config)
    assert tuned.history["val_srcc"].max() > 0.9
    assert tuned.history["train_loss"].iloc[-1] < tuned.history["train_loss"].iloc[0] / 2


# ---- faults


def test_divergence_names_both_learning_rates(small, images):
    config = FineTuning(
        regime="full", head_learning_rate=1e30, backbone_learning_rate=2e30, epochs=1, batch_size=9
    )
    # One step: its loss is still finite, the predictions after it are not.
    with pytest.raises(UserError, match=r"epoch 1.*head_learning_rate.*1e\+30.*backbone.*2e\+30"):
        fine_tune(small.tiny(), *images, config)
    config = config.model_copy(update={"batch_size": 1, "checkpoint": "last"})
    with pytest.raises(UserError, match="diverged in epoch 1"):
        fine_tune(small.tiny(), *images, config)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_out_of_memory_gives_a_hint(small, images, monkeypatch, error):
    model = small.tiny()

    def full(module, given):
        raise error

    model.head.register_forward_pre_hook(full)
    with pytest.raises(UserError, match="batch_size=16; halve it and double accumulation"):
        fine_tune(model, *images, FineTuning(regime="full"))


def test_another_error_is_not_called_out_of_memory(small, images):
    model = small.tiny()

    def bug(module, given):
        raise RuntimeError("shapes do not fit")

    model.head.register_forward_pre_hook(bug)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        fine_tune(model, *images, FineTuning(regime="full"))


@pytest.mark.parametrize("part", ["train", "val"])
@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_image_is_one_line_that_names_it(small, drawn, tmp_path, workers, part):
    paths, targets = drawn
    empty = tmp_path / "empty.png"
    empty.touch()
    given = {"train": paths[:4], "val": paths[4:6]}
    given[part] = [*given[part][:-1], str(empty)]
    train, val = (ScoredImages(p, targets[: len(p)], 64) for p in given.values())
    config = FineTuning(regime="frozen", workers=workers, batch_size=2)
    with pytest.raises(UserError, match=r"empty\.png: not a readable image") as caught:
        fine_tune(small.tiny(), train, val, config)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_trained_on_is_told(small, drawn, images):
    empty = ScoredImages([], [], 64)
    for pair in ((empty, images[1]), (images[0], empty)):
        with pytest.raises(UserError, match="must each hold one image or more"):
            fine_tune(small.tiny(), *pair, FineTuning(regime="full"))
    with pytest.raises(UserError, match="crop=96 is larger"):
        fine_tune(small.tiny(), *images, FineTuning(regime="full", crop=96))
    with pytest.raises(UserError, match="multiples of its patch of 16"):
        fine_tune(small.tiny(), *images, FineTuning(regime="full", crop=40))


@pytest.fixture
def fresh_accelerate():
    """As in a new process, and afterwards too."""
    states = (AcceleratorState, PartialState, GradientState)
    for state in states:
        state._reset_state()
    yield
    for state in states:
        state._reset_state()


def test_settings_of_the_launcher_do_not_change_training(
    small, images, same, monkeypatch, fresh_accelerate
):
    config = FineTuning(regime="full", epochs=1, batch_size=2, workers=0)
    expected = fine_tune(small.tiny(), *images, config).model.state_dict()
    for state in (AcceleratorState, PartialState, GradientState):
        state._reset_state()
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    monkeypatch.setenv("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "4")
    assert same(fine_tune(small.tiny(), *images, config).model.state_dict(), expected)


def test_an_accelerator_of_another_precision_is_told(small, images, fresh_accelerate):
    Accelerator(mixed_precision="bf16", cpu=True)
    with pytest.raises(UserError, match="already set up in another way") as caught:
        fine_tune(small.tiny(), *images, FineTuning(regime="full"))
    assert "\n" not in str(caught.value)


def test_training_warns_of_nothing(small, images):
    config = FineTuning(regime="lora", epochs=2, batch_size=2, crop=32, flip=True, precision="bf16")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fine_tune(small.tiny(), *images, config)
