"""Work that is killed at any moment goes on from there, to the very bytes of work that was not."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from campaign import FEATURES, copied, leftovers, one_line, shards

pytestmark = pytest.mark.slow
SMALL = Path(__file__).parents[1] / "training" / "small.py"


def kill_at_random(begin, times, number=signal.SIGKILL):
    """Begin a command and end it, again and again, each time at another moment of its whole time.

    Gives those that were ended; one that was faster than its end does not count, and the next comes
    sooner.
    """
    whole = begin()
    whole.begun()
    started = time.monotonic()
    assert whole.wait() == 0
    seconds = time.monotonic() - started
    ended = []
    for part in random.Random(8).sample(range(5, 100, 5), times):
        child = begin()
        child.begun()
        time.sleep(seconds * part / 100)
        with suppress(ProcessLookupError):  # it was faster
            os.kill(child.process.pid, number)
        if child.wait() != 0:
            ended.append(child)
        else:
            seconds /= 2
    assert ended
    return ended


def test_features(iqa, cache, demo, truth, tmp_path):
    fresh = iter(range(100))

    def begin():
        # The first fills a cache of its own, to measure its time.
        number = next(fresh)
        return iqa(*FEATURES, IQA_CACHE=cache if number else copied(demo, tmp_path / "other"))

    ended = kill_at_random(begin, 4)
    assert {child.process.exitcode for child in ended} == {-signal.SIGKILL}
    assert iqa(*FEATURES, IQA_CACHE=cache).wait() == 0
    assert shards(cache) == truth
    assert leftovers(cache) == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_leaves_nothing_behind(name, iqa, demo, tmp_path, truth):
    caches = [tmp_path / str(number) for number in range(4)]
    places = iter(caches)
    number = signal.Signals[name]
    ended = kill_at_random(
        lambda: iqa(*FEATURES, IQA_CACHE=copied(demo, next(places))), len(caches) - 1, number
    )
    for child in ended:
        if child.process.exitcode == -number:  # the command was done, and Python about to end
            assert child.err == ""
            continue
        assert child.process.exitcode == 128 + number
        assert one_line(child, "what was finished before is kept")
    for cache in caches:
        assert leftovers(cache) == []
        assert shards(cache).items() <= truth.items()


def files(cache):
    return {
        path.relative_to(cache): path.read_bytes()
        for path in (cache / "demo").rglob("*")
        if path.is_file()
    }


def test_the_demo_set(demo, tmp_path):
    # By a process of its own, as a fork cannot have the workers that it is built by.
    code = "from iqa.cli import main; main()"
    words = [sys.executable, "-c", code, "datasets", "check", "demo_mini"]
    environment = os.environ | {"IQA_CACHE": str(tmp_path)}
    whole = files(demo)
    # At once, and amid the work that is taken up.
    for number, pictures in ((signal.SIGKILL, 1), (signal.SIGTERM, 60)):
        child = subprocess.Popen(words, env=environment, start_new_session=True)
        while (
            child.poll() is None and len(list(tmp_path.glob("demo/*/images/*/*/*.png"))) < pictures
        ):
            time.sleep(0.05)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        child.wait(60)
        with suppress(ProcessLookupError):
            for _ in range(100):  # its workers end a little later
                os.killpg(child.pid, 0)
                time.sleep(0.01)
        found = {path: content for path, content in files(tmp_path).items() if path in whole}
        assert found.items() <= whole.items()
        assert len(found) < len(whole)
    assert subprocess.run(words, env=environment, check=False).returncode == 0
    assert files(tmp_path) == whole
    assert leftovers(tmp_path) == []


def test_fine_tuning(start, tmp_path):
    code = f"""
import runpy, torch
torch.set_num_threads(1)
small = runpy.run_path({str(SMALL)!r})
paths, targets = small["draw"](small["Path"]({str(tmp_path)!r}), 10)
open("begun", "w").close()
done = small["run"](paths, targets, 7, folder={str(tmp_path)!r} + "/FOLDER", regime="lora",
                    epochs=6, batch_size=2, dropout=0.2, crop=32, schedule="one-cycle")
torch.save([done["weights"], done["history"]], {str(tmp_path)!r} + "/FOLDER.pt")
"""

    def result(folder):
        weights, history = torch.load(tmp_path / f"{folder}.pt", weights_only=True)
        return {name: value.numpy().tobytes() for name, value in weights.items()}, str(history)

    names = iter(["whole"])
    kill_at_random(lambda: start(code.replace("FOLDER", next(names, "killed"))), 3)
    last = start(code.replace("FOLDER", "killed"))
    assert last.wait() == 0, last.err
    assert result("killed") == result("whole")
    assert leftovers(tmp_path) == []
