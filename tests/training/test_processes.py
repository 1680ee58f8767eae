import json

import pytest
import torch
from forks import fork

ALONE = {"objective": "mse", "dropout": 0.0, "epochs": 2, "schedule": "one-cycle"}
JOBS = {
    # An odd share of validation images, and two steps an epoch.
    "lora": {"n": 8, "regime": "lora", "batch_size": 2},
    # Seven images in one step of four batches: shares of four and three.
    "accumulated": {"n": 7, "regime": "lora", "batch_size": 2, "accumulation": 2},
    # The last step has one image, and the second process none.
    "full": {"n": 5, "regime": "full", "batch_size": 2, "backbone": "resnet/tiny"},
    "frozen": {"n": 3, "regime": "frozen", "batch_size": 1, "backbone": "perception/tiny"},
}


@pytest.fixture(scope="module")
def launched(small, drawn, tmp_path_factory):
    """What each of two processes gives, for every job."""
    folder = tmp_path_factory.mktemp("processes")
    given = {"paths": drawn[0], "targets": drawn[1].tolist()} | ALONE
    jobs = {name: given | job for name, job in JOBS.items()}
    jobs["read again"] = jobs["lora"] = jobs["lora"] | {"folder": str(folder / "disk{RANK}")}
    (folder / "job.json").write_text(json.dumps(jobs))
    # As torchrun sets them; nothing of it says that there is no GPU.
    about = {"WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": 1}
    programs = [
        fork(
            small.program(folder / "job.json", folder / str(rank)),
            tmp_path_factory.mktemp("program"),
            **about | {"RANK": rank, "LOCAL_RANK": rank, "GLOO_SOCKET_IFNAME": "lo"},
        )
        for rank in range(2)
    ]
    try:
        assert [program.wait() for program in programs] == [0, 0], programs[0].err
    finally:
        for program in programs:
            program.process.kill()
    assert len(list((folder / "disk0").iterdir())) == 1
    assert not (folder / "disk1").exists()
    return [torch.load(folder / str(rank)) for rank in range(2)]


def alone(small, drawn, name):
    """The same in one process, with twice the batch."""
    job = JOBS[name] | {"batch_size": 2 * JOBS[name]["batch_size"]}
    return small.run(*drawn, **ALONE | job)


@pytest.mark.parametrize("name", JOBS)
def test_processes_agree_and_equal_one_with_twice_the_batch(small, drawn, same, launched, name):
    first, second = (results[name] for results in launched)
    expected = alone(small, drawn, name)
    assert same(first["weights"], second["weights"])
    assert first["history"] == second["history"]
    steps = -(
        -JOBS[name]["n"] // (2 * JOBS[name]["batch_size"] * JOBS[name].get("accumulation", 1))
    )
    assert len(first["gradients"]) == len(second["gradients"]) == 2 * steps
    for one, other, whole in zip(
        first["gradients"], second["gradients"], expected["gradients"], strict=True
    ):
        assert same(one, other)
        assert list(one) == list(whole)
        assert any(name.startswith("head.") for name in one)
        assert any(name.startswith("backbone.") for name in one) == (name != "frozen")
        for parameter, values in one.items():
            torch.testing.assert_close(
                values, whole[parameter], atol=1e-5, rtol=1e-3, msg=parameter
            )
    for parameter, values in first["weights"].items():
        torch.testing.assert_close(
            values, expected["weights"][parameter], atol=1e-5, rtol=0, msg=parameter
        )
    for column in ("train_loss", "val_srcc", "chosen"):
        assert first["history"][column] == pytest.approx(expected["history"][column], abs=1e-6)


def test_the_main_process_reads_a_finished_run_for_all(launched, same):
    for results in launched:
        assert results["read again"]["gradients"] == []
        assert same(results["read again"]["weights"], results["lora"]["weights"])
