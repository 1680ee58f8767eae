import json
import os
import time

import pytest
import torch
from forks import fork

from iqa.training import FineTuning, ScoredImages, fine_tune, finetune
from iqa.training.resume import Progress, read_progress, write_progress

# Two epochs' dropout, crops, a moving rate and an optimiser with moments: all that has to go on.
CONFIG = {
    "regime": "lora",
    "epochs": 3,
    "batch_size": 2,
    "workers": 2,
    "crop": 32,
    "flip": True,
    "dropout": 0.2,
    "schedule": "one-cycle",
    "head_learning_rate": 1e-2,
    "backbone_learning_rate": 1e-2,
}


def parts(drawn, size=64):
    paths, targets = drawn
    return ScoredImages(paths[:7], targets[:7], size), ScoredImages(paths[7:], targets[7:], size)


def train(small, drawn, folder, backbone="siglip2/tiny", **change):
    config, model = FineTuning(**CONFIG | change), small.tiny(backbone)
    torch.seed()  # nothing may depend on what the global generator happens to be at
    return fine_tune(model, *parts(drawn), config, folder)


class Killed(Exception):
    pass


@pytest.fixture
def train_until_killed(monkeypatch):
    """Train, but fail in the third batch of the given epoch of this call; an epoch has four."""
    usual = finetune._Run._backward

    def train_until(epoch, *args, **change):
        calls = iter(range(1000))

        def backward(self, *given):
            if next(calls) == (epoch - 1) * 4 + 2:
                raise Killed
            return usual(self, *given)

        with monkeypatch.context() as patch:
            patch.setattr(finetune._Run, "_backward", backward)
            with pytest.raises(Killed):
                train(*args, **change)

    return train_until


@pytest.mark.parametrize("backbone", ["siglip2/tiny", "resnet/tiny"])
@pytest.mark.parametrize(
    "change",
    [
        {"regime": "lora"},
        {"regime": "full", "checkpoint": "last", "schedule": "constant"},
        {"regime": "frozen", "precision": "bf16", "accumulation": 2},
    ],
    ids=lambda change: change["regime"],
)
def test_a_killed_run_goes_on_to_the_same_weights(
    small, drawn, same, tmp_path, train_until_killed, backbone, change
):
    expected = train(small, drawn, None, backbone, **change)
    for epoch, done in ((2, 1), (2, 2)):  # killed in the second epoch, then in the third
        train_until_killed(epoch, small, drawn, tmp_path, backbone, **change)
        (file,) = tmp_path.iterdir()
        assert read_progress(file).epoch == done
    resumed = train(small, drawn, tmp_path, backbone, **change)
    assert same(resumed.model.state_dict(), expected.model.state_dict())
    assert resumed.history.equals(expected.history)
    assert resumed.trained == expected.trained


def test_a_finished_run_is_read_without_its_images(small, same, tmp_path):
    drawn = small.draw(tmp_path, 10)
    done = train(small, drawn, tmp_path / "runs")
    for path in drawn[0]:
        os.remove(path)
    again = train(small, drawn, tmp_path / "runs")
    assert same(again.model.state_dict(), done.model.state_dict())
    assert again.history.equals(done.history)
    with pytest.raises(Exception, match="no such image file"):
        train(small, drawn, tmp_path / "runs", seed=1)


def cut(content):
    return content[: len(content) // 2]


def flip_a_bit(content):
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize("damage", [cut, flip_a_bit, lambda _: b"", lambda _: b"something else"])
def test_a_damaged_file_is_a_beginning(small, drawn, same, tmp_path, damage):
    done = train(small, drawn, tmp_path, epochs=2)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert read_progress(file) == Progress()
    again = train(small, drawn, tmp_path, epochs=2)
    assert same(again.model.state_dict(), done.model.state_dict())
    assert read_progress(file).epoch == 2


def test_a_file_that_would_run_code_is_a_beginning(tmp_path):
    class Run:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    torch.save({"epoch": 3, "history": Run()}, tmp_path / "a.pt")
    assert read_progress(tmp_path / "a.pt") == Progress()
    assert not (tmp_path / "made").exists()


def test_progress_comes_back(tmp_path):
    progress = Progress(
        epoch=2,
        trained={"a": torch.rand(3)},
        best=0.5,
        history=[{"epoch": 1, "train_loss": 0.1, "val_srcc": float("nan")}],
    )
    write_progress(tmp_path / "new" / "a.pt", progress)
    again = read_progress(tmp_path / "new" / "a.pt")
    assert torch.equal(again.trained["a"], progress.trained["a"])
    assert (again.epoch, again.best, again.optimizer) == (2, 0.5, {})
    assert str(again.history) == str(progress.history)
    assert read_progress(tmp_path / "none.pt") == read_progress(None) == Progress()


def test_a_write_that_fails_leaves_the_file_of_the_epoch_before(tmp_path, monkeypatch):
    write_progress(tmp_path / "a.pt", Progress(epoch=1))
    usual = torch.save

    def full_disk(values, file):
        usual(values, file)
        file.truncate(99)
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_progress(tmp_path / "a.pt", Progress(epoch=2))
    assert [file.name for file in tmp_path.iterdir()] == ["a.pt"]
    assert read_progress(tmp_path / "a.pt").epoch == 1


def key(model, train, val, **change):
    config = FineTuning(**CONFIG | change)
    return finetune._Run(model, train, val, config, finetune._accelerator()).key()


def test_whatever_changes_the_weights_changes_the_key(small, drawn):
    train, val = parts(drawn)
    paths, targets = drawn
    other = small.tiny()
    with torch.no_grad():
        other.head.fc3.bias += 1e-6
    keys = [
        key(small.tiny(), train, val),
        *(key(small.tiny(), train, val, **change) for change in ({"epochs": 4}, {"seed": 1})),
        key(small.tiny(), train, val, regime="frozen"),
        key(small.tiny(), train, val, accumulation=2),
        key(small.tiny(), train, val, precision="bf16"),
        key(small.tiny(), val, train),
        key(small.tiny(), train, ScoredImages(paths[7:], targets[:3], 64)),
        key(small.tiny(), *parts(drawn, 32)),
        key(other, train, val),
        # The same parameters, put to another use.
        key(small.tiny(head="relu"), train, val),
        key(small.tiny(head="tanh"), train, val),
        key(small.tiny(pooling="mean"), train, val),
        key(small.tiny(pooling="max"), train, val),
    ]
    assert len(set(keys)) == len(keys)
    assert key(small.tiny(), train, val, workers=0) == keys[0]


def test_a_process_that_is_killed_leaves_what_can_be_gone_on_from(small, drawn, same, tmp_path):
    paths, targets = drawn
    about = CONFIG | {"n": 7, "epochs": 30, "dropout": 0.2}
    runs = tmp_path / "runs"
    job = tmp_path / "job.json"
    given = {"paths": paths, "targets": targets.tolist(), "folder": str(runs)}
    job.write_text(json.dumps({"run": given | about}))
    program = fork(small.program(job, tmp_path / "x"), tmp_path)
    try:
        limit = time.monotonic() + 120
        while not list(runs.glob("*.pt")):
            assert program.process.is_alive(), program.err
            assert time.monotonic() < limit
            time.sleep(0.02)
    finally:
        program.process.kill()
        program.wait()
    (file,) = runs.glob("*.pt")
    assert 1 <= read_progress(file).epoch < 30
    resumed = small.run(paths, targets, folder=str(runs), **about)
    assert 0 < len(resumed["gradients"]) < 30 * 4
    expected = small.run(paths, targets, **about)
    assert same(resumed["weights"], expected["weights"])
    assert resumed["history"] == expected["history"]
