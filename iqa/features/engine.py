"""Where the forward pass runs: OpenVINO on CPUs, PyTorch on CUDA, PyTorch on CPUs for want of both.

OpenVINO is the CPU engine because it is two to three times as fast as PyTorch and takes the
PyTorch module as it is. Images per second by `benchmarks/throughput.py --repeats 3`, Lite0 at
512 px, two cores with nothing else to do: ONNX Runtime 65, OpenVINO 61, PyTorch channels last 31,
PyTorch in its default layout 22; the largest difference from the last was 1.3e-5. ONNX Runtime is
as fast, but needs an export to ONNX between. Requests of one image in parallel (67) were faster in
OpenVINO than of 4 (61) or 16 (39). One image at a time over all cores gave 74 at 512 px, but at
224 px, with other work on the machine, 71 against 207 for parallel ones.
"""

import importlib.util
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from iqa.errors import UserError
from iqa.features.openvino_cpu import Engine, Precision, compiled_engine, import_openvino


class _FromBytes(nn.Module):
    """A network that takes images as files hold them: uint8 (N, S, S, 3)."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images.permute(0, 3, 1, 2).float() / 255)


def openvino_engine(network: nn.Module, input_size: int, precision: Precision = "f32") -> Engine:
    """Compile `network`, a backbone or a whole model, as `compiled_engine` does."""
    return compiled_engine(converted(network, input_size), precision)


def converted(network: nn.Module, input_size: int) -> Any:
    """The network as OpenVINO's model of uint8 (1, S, S, 3); its parameters are not copied."""
    shape = [1, input_size, input_size, 3]
    with _signals_wait(), warnings.catch_warnings(), torch.no_grad():
        # Tracing is deprecated in PyTorch, and still what the conversion is built on. PyTorch's
        # own check of the trace would run the model twice more; our tests compare the results.
        warnings.simplefilter("ignore", FutureWarning)
        # Sizes are fixed here, so what tracing takes for constant is.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        traced = torch.jit.trace(
            _FromBytes(network).eval(), torch.zeros(shape, dtype=torch.uint8), check_trace=False
        )
        return import_openvino().convert_model(traced, input=shape)


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Handle signals when the block is left.

    OpenVINO calls Python back while it converts: what a handler raises there ends the process.
    """
    if threading.current_thread() is not threading.main_thread():  # handlers run in that alone
        yield
        return
    came: list[int] = []
    numbers = (getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP"))
    handlers = {number: signal.getsignal(number) for number in numbers if number}
    handlers = {number: known for number, known in handlers.items() if callable(known)}
    for number in handlers:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, known in handlers.items():
            signal.signal(number, known)
        for number in came:
            signal.raise_signal(number)


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


def fastest_engine(network: nn.Module, input_size: int, precision: Precision = "f32") -> Engine:
    """The engine for this machine: PyTorch on CUDA, else OpenVINO, else PyTorch with a warning.

    Raises:
        UserError: `precision` is not to be had of it.
    """
    on_gpu = torch.cuda.is_available()
    if not on_gpu and importlib.util.find_spec("openvino") is not None:
        return openvino_engine(network, input_size, precision)
    if precision != "f32":
        raise UserError(f"precision {precision} is for OpenVINO on a CPU; choose f32")
    if on_gpu:
        return torch_engine(network, "cuda")
    warnings.warn(
        "openvino is not installed: networks run in PyTorch, several times slower; "
        "run `pip install openvino`",
        stacklevel=2,
    )
    return torch_engine(network)
