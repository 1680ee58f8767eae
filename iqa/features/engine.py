"""Where the forward pass runs: OpenVINO on CPUs, PyTorch on CUDA, PyTorch on CPUs for want of both.

OpenVINO is the CPU engine because it is two to three times as fast as PyTorch and takes the
PyTorch module as it is. Images per second by `benchmarks/throughput.py --repeats 3`, Lite0 at
512 px, two cores with nothing else to do: ONNX Runtime 65, OpenVINO 61, PyTorch channels last 31,
PyTorch in its default layout 22; the largest difference from the last was 1.3e-5. ONNX Runtime is
as fast, but needs an export to ONNX between. Requests of one image in parallel (67) were faster in
OpenVINO than of 4 (61) or 16 (39). One image at a time over all cores gave 74 at 512 px, but at
224 px, with other work on the machine, 71 against 207 for parallel ones.
"""

import ctypes
import importlib.util
import os
import sys
import warnings
from collections import deque
from collections.abc import Callable
from queue import Empty, Queue
from threading import Lock
from typing import Any
from weakref import WeakSet

import numpy as np
import torch
from torch import Tensor, nn

from iqa.errors import UserError

# uint8 (N, S, S, 3) -> float32, the network's output: features (N, D), scores (N,) or (N, 1).
Engine = Callable[[np.ndarray], np.ndarray]


class _FromBytes(nn.Module):
    """A network that takes images as files hold them: uint8 (N, S, S, 3)."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images.permute(0, 3, 1, 2).float() / 255)


def openvino_engine(network: nn.Module, input_size: int) -> Engine:
    """Compile `network`, a backbone or a whole model, for this machine's CPU, in float32.

    Images are sent one by one to as many parallel requests as OpenVINO finds best here, so an
    image's output cannot depend on the other images of a call. The engine can be called from any
    number of threads, which share the requests, and in a forked process, which compiles anew.
    """
    model = _converted(network, input_size)
    # By process: a forked child has none of the threads that its parent's requests are run by.
    compiled = {os.getpid(): _compile(model)}

    def run(images: np.ndarray) -> np.ndarray:
        here = os.getpid()
        if here not in compiled:
            compiled.setdefault(here, _compile(model))
        return _infer(images, *compiled[here])

    return run


def _converted(network: nn.Module, input_size: int) -> Any:
    """The network as OpenVINO's model of uint8 (1, S, S, 3); its parameters are not copied."""
    # OpenVINO reports its use over the network by default, through this package. None in its place
    # makes the import fail, and OpenVINO goes on without.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    shape = [1, input_size, input_size, 3]
    with warnings.catch_warnings(), torch.no_grad():
        # Tracing is deprecated in PyTorch, and still what the conversion is built on. PyTorch's
        # own check of the trace would run the model twice more; our tests compare the results.
        warnings.simplefilter("ignore", FutureWarning)
        # Sizes are fixed here, so what tracing takes for constant is.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        traced = torch.jit.trace(
            _FromBytes(network).eval(), torch.zeros(shape, dtype=torch.uint8), check_trace=False
        )
        return openvino.convert_model(traced, input=shape)


def _compile(model: Any) -> tuple["Queue[Any]", tuple[int, ...]]:
    """Requests that are free to use, as many as OpenVINO finds best; the shape of their output."""
    import openvino

    # Without the precision hint, CPUs with bfloat16 units compute in bfloat16.
    options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(model, "CPU", options)
    free: Queue[Any] = Queue()
    for _ in range(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")):
        request = compiled.create_infer_request()
        _requests.add(request)
        free.put(request)
    return free, tuple(compiled.output(0).shape[1:])


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


def torch_engine(network: nn.Module, device: str = "cpu") -> Engine:
    """Run `network` by PyTorch in float32 on `device`, in the channels-last layout.

    On a CPU images go one by one: larger batches are no faster there, and they round differently.
    The engine can be called from any number of threads. In a forked process it runs on one core of
    a CPU, and not on a GPU.

    Raises:
        UserError: by a call in a forked process, on a GPU.
    """
    model = _FromBytes(network).eval().to(device).to(memory_format=torch.channels_last)
    home, one_at_a_time = os.getpid(), Lock()

    def on_cpu(images: np.ndarray) -> np.ndarray:
        if os.getpid() != home:
            # With more, PyTorch would wait for threads that were not forked.
            torch.set_num_threads(1)
        with torch.inference_mode():
            return torch.cat([model(one) for one in torch.from_numpy(images).split(1)]).numpy()

    def on_gpu(images: np.ndarray) -> np.ndarray:
        if os.getpid() != home:
            raise UserError(
                "a GPU cannot be used by a process that was forked after it was first used: make "
                'the scorer in the new process, or start it by "spawn"'
            )
        # TF32 is PyTorch's default for convolutions on CUDA, with errors near 1e-3: too many for
        # features that must not depend on the device. The flag is the whole process's.
        with one_at_a_time, torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
            return model(torch.from_numpy(images).to(device)).cpu().numpy()

    return on_cpu if device == "cpu" else on_gpu


def fastest_engine(network: nn.Module, input_size: int) -> Engine:
    """The engine for this machine: PyTorch on CUDA, else OpenVINO, else PyTorch with a warning."""
    if torch.cuda.is_available():
        return torch_engine(network, "cuda")
    if importlib.util.find_spec("openvino") is not None:
        return openvino_engine(network, input_size)
    warnings.warn(
        "openvino is not installed: networks run in PyTorch, several times slower; "
        "run `pip install openvino`",
        stacklevel=2,
    )
    return torch_engine(network)
