"""OpenVINO's models on this machine's CPU; here nothing imports PyTorch, which takes seconds."""

import ctypes
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from typing import Any, Literal
from weakref import WeakSet

import numpy as np

from iqa.errors import UserError
from iqa.images.locks import ForkLock

Engine = Callable[[np.ndarray], np.ndarray]
"""uint8 (N, S, S, 3) -> float32, the network's output: features (N, D), scores (N,) or (N, 1)."""

Precision = Literal["f32", "bf16"]
"""What products are computed in: float32 or bfloat16, faster on CPUs that have units for it."""


def import_openvino() -> Any:
    """The package `openvino`, without its reports of its use over the network."""
    # They are made through this package. Without it OpenVINO works as well.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def compiled_engine(model: Any, precision: Precision = "f32") -> Engine:
    """Compile a model of uint8 (1, S, S, 3) for this machine's CPU.

    Images are sent one by one to as many parallel requests as OpenVINO finds best here, so an
    image's output cannot depend on the other images of a call. The engine can be called from any
    number of threads, which share the requests, and in a forked process, which compiles anew.

    Args:
        model: OpenVINO's.
        precision: of its products.

    Raises:
        UserError: this CPU has no units for `precision`.
    """
    if precision == "bf16" and "BF16" not in _capabilities():
        raise UserError("precision bf16: this CPU has no units for bfloat16; choose f32")
    # By process: a forked child has none of the threads that its parent's requests are run by.
    compiled = {os.getpid(): _compile(model, precision)}

    def run(images: np.ndarray) -> np.ndarray:
        here = os.getpid()
        if here not in compiled:
            compiled.setdefault(here, _compile(model, precision))
        return _infer(images, *compiled[here])

    return run


def _capabilities() -> list[str]:
    """The types that this CPU has units for, in capitals."""
    return import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _compile(model: Any, precision: Precision) -> tuple["Queue[Any]", tuple[int, ...]]:
    """Requests that are free to use, as many as OpenVINO finds best; the shape of their output."""
    # Without the precision hint, CPUs with bfloat16 units compute in bfloat16.
    options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
    with _one_compiles, _signal_stack_kept():
        compiled = import_openvino().Core().compile_model(model, "CPU", options)
        free: Queue[Any] = Queue()
        shape = tuple(compiled.output(0).shape[1:])
        for _ in range(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")):
            request = compiled.create_infer_request()
            _requests.add(request)
            free.put(request)
        # The first use of a request imports modules: two threads in it would wait for good.
        _infer(np.zeros((1, *compiled.input(0).shape[1:]), np.uint8), free, shape)
    return free, shape


_one_compiles = ForkLock()


class _SignalStack(ctypes.Structure):
    """As the system's `stack_t`."""

    _fields_ = (("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextmanager
def _signal_stack_kept() -> Iterator[None]:
    """Let this thread keep the stack that its signal handlers run on.

    OpenVINO gives it another, and frees that with the model; of two models the thread could be left
    with one that is gone, and the next signal, such as Ctrl-C, ended the process.
    """
    if sys.platform != "linux":
        yield
        return
    system, before = ctypes.CDLL(None), _SignalStack()
    system.sigaltstack(None, ctypes.byref(before))
    try:
        yield
    finally:
        system.sigaltstack(ctypes.byref(before), None)


_requests: "WeakSet[Any]" = WeakSet()


def _keep_for_good() -> None:
    """In a forked child: to free its parent's requests would be to wait for threads it has not."""
    for request in _requests:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(request))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keep_for_good)


def _infer(images: np.ndarray, free: "Queue[Any]", shape: tuple[int, ...]) -> np.ndarray:
    """Outputs (N, *shape) of `images`, by the requests that are `free`, which it gives back."""
    outputs = np.empty((len(images), *shape), np.float32)
    started: deque[tuple[int, Any]] = deque()

    # No callbacks: they run in OpenVINO's threads and need Python's lock, and when a model was
    # freed while another thread held it, both waited for good.
    def finish_oldest() -> None:
        row, request = started.popleft()
        try:
            request.wait()
            outputs[row] = request.get_output_tensor(0).data[0]
        finally:
            free.put(request)

    def take() -> Any:
        while True:
            try:
                # Who holds a request does not wait for another one: no two wait for each other.
                return free.get(block=not started)
            except Empty:
                finish_oldest()

    try:
        for row in range(len(images)):
            started.append((row, take()))
            started[-1][1].start_async({0: images[row : row + 1]})
    finally:
        while started:
            finish_oldest()
    return outputs
