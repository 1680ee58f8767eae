"""A scorer that threads and processes share gives the scores that it gives alone."""

import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset

from iqa.scoring import Scorer
from iqa.scoring.native_scale import NativeScale


@pytest.fixture(scope="module")
def images():
    return list(np.random.default_rng(0).integers(0, 256, (8, 70, 90, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def alone(scorer, images):
    """The score of each image, asked for by itself."""
    scores = [scorer.score(image)["score"].item() for image in images]
    assert len(set(scores)) == len(images)
    return scores


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_threads_that_share_a_scorer_get_the_scores_of_one(scorer, images, alone, threads):
    numbers = [number % len(images) for number in range(1000)]
    with ThreadPoolExecutor(threads) as pool:
        given = list(pool.map(lambda n: scorer.score(images[n])["score"].item(), numbers))
    assert given == [alone[number] for number in numbers]


def test_threads_with_many_images_each(scorer, images, alone):
    """More images a call than there are requests, so that calls take them from each other."""
    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(lambda _: scorer.score(images * 5), range(24)))
    for table in tables:
        assert table["score"].tolist() == alone * 5


def in_a_forked_process(work):
    """What `work()` gives there, within a minute."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=lambda: queue.put(work()))
    process.start()
    try:
        return queue.get(timeout=60)
    finally:
        process.kill()
        process.join()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_scores_like_its_parent(scorer, images, alone):
    def scores():
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda image: scorer.score(image)["score"].item(), images))

    assert in_a_forked_process(scores) == alone
    assert in_a_forked_process(lambda: in_a_forked_process(scores)) == alone
    assert scores() == alone


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_pytorchs_engine_runs_in_a_forked_child(model_file, images):
    from iqa.features.engine import torch_engine
    from iqa.models import load_model

    model, info = load_model(model_file)
    run = torch_engine(NativeScale(model, info.low, info.high))
    pixels = np.stack([image[:64, :64] for image in images])
    expected = run(pixels)
    np.testing.assert_allclose(in_a_forked_process(lambda: run(pixels)), expected, rtol=1e-6)


class Scores(Dataset):
    def __init__(self, scorer, images):
        self.scorer, self.images = scorer, images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, place):
        return self.scorer.score(self.images[place])["score"].item()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_of_a_data_loader_score_alike(scorer, images, alone, start):
    # One that is spawned imports all again.
    workers = {"fork": 2, "spawn": 1}[start]
    loader = DataLoader(
        Scores(scorer, images), num_workers=workers, multiprocessing_context=start, timeout=90
    )
    assert [batch.item() for batch in loader] == alone


def _score(job):
    scorer, image = job
    return scorer.score(image)["score"].item()


def test_a_pool_of_processes_gets_the_scorer_pickled(scorer, images, alone):
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert list(pool.map(_score, [(scorer, image) for image in images[:2]])) == alone[:2]


def test_pickled_it_is_the_models_name_and_the_folder_does_not_matter(
    model_file, images, alone, tmp_path, monkeypatch
):
    monkeypatch.chdir(model_file.parent)
    kept = pickle.dumps(Scorer(model_file.name))
    assert len(kept) < 1000
    monkeypatch.chdir(tmp_path)
    assert pickle.loads(kept).score(images[0])["score"].item() == alone[0]


FORK_AND_EXIT = """
import os, sys
import numpy as np
from iqa import Scorer

scorer, image = Scorer(sys.argv[1]), np.zeros((64, 64, 3), np.uint8)
before = scorer.score(image)["score"].item()
child = os.fork()
if child == 0:
    after = before if sys.argv[2] == "unused" else scorer.score(image)["score"].item()
    sys.exit(0 if after == before else 3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("used", ["used", "unused"])
def test_a_child_that_ends_as_programs_do_does_not_hang(model_file, used):
    """Freeing what the parent compiled would wait for threads that were not forked."""
    words = [sys.executable, "-c", FORK_AND_EXIT, str(model_file), used]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "0\n", done.stderr


FREE_THEN_SIGNAL = """
import signal, sys
from iqa import Scorer

signal.signal(signal.SIGINT, lambda *_: print("handled"))
first, second = Scorer(sys.argv[1]), Scorer(sys.argv[1])
del first
del second
signal.raise_signal(signal.SIGINT)
"""


def test_a_signal_after_scorers_are_freed_ends_nothing(model_file):
    """Each made a stack for handlers, and freed in this order they left one that was gone."""
    words = [sys.executable, "-c", FREE_THEN_SIGNAL, str(model_file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr


MADE_BY_THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from iqa import Scorer

image = np.zeros((64, 64, 3), np.uint8)
with ThreadPoolExecutor(4) as pool:
    scores = set(pool.map(lambda _: Scorer(sys.argv[1]).score(image)["score"].item(), range(12)))
print(len(scores))
"""


def test_threads_that_each_make_a_scorer_do_not_wait_for_each_other(model_file):
    words = [sys.executable, "-c", MADE_BY_THREADS, str(model_file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=False)
    assert done.stdout == "1\n", done.stderr
