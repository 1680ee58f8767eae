import os
import signal
import subprocess
import sys
import threading

import pytest

from iqa.threads import in_order


def test_results_come_in_the_order_of_the_items():
    waits = [0.02, 0.0, 0.01, 0.0]
    done = threading.Event()
    assert list(in_order(lambda wait: done.wait(wait) or wait, waits, 4, 3)) == waits


def test_what_the_work_raises_comes_at_its_turn_and_ends_the_threads():
    before = threading.active_count()
    results = in_order(lambda number: 1 / number, [1, 2, 0, 4], threads=2, ahead=4)
    assert [next(results), next(results)] == [1, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert threading.active_count() == before


def test_no_more_items_are_taken_than_may_be_held():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    results = in_order(str, items(), threads=2, ahead=5)
    assert next(results) == "0"
    assert len(taken) == 5
    results.close()


# Interrupts come while the main thread hands out work, at another moment in each round: one inside
# a lock would leave it locked, and the process would never end, as with `ThreadPoolExecutor`.
INTERRUPTED = """
import os, signal, sys, threading, time
from iqa.threads import in_order
sys.setswitchinterval(1e-6)
def stop(number, frame):
    raise KeyboardInterrupt
signal.signal(signal.SIGUSR1, stop)
def shoot(seconds):
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGUSR1)
for round in range(200):
    shooter = threading.Thread(target=shoot, args=(round % 50 / 20_000,))
    try:
        for number, _ in enumerate(in_order(abs, iter(int, 1), 4, 64)):
            if number == 0:
                shooter.start()
    except KeyboardInterrupt:
        pass
    shooter.join()
print("ended")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="signals of POSIX")
def test_an_interrupt_at_any_time_ends_it():
    run = [sys.executable, "-c", INTERRUPTED]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, env=env)
    assert (done.stdout, done.stderr) == ("ended\n", "")
