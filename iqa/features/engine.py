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
import sys
import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

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
    image's output cannot depend on the other images of a call.
    """
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
        model = openvino.convert_model(traced, input=shape)
    # Without the precision hint, CPUs with bfloat16 units compute in bfloat16.
    options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(model, "CPU", options)
    # No callbacks: they run in OpenVINO's threads and need Python's lock, and when a model was
    # freed while another thread held it, both waited for good.
    count = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
    requests = [compiled.create_infer_request() for _ in range(count)]

    def run(images: np.ndarray) -> np.ndarray:
        outputs = np.empty((len(images), *compiled.output(0).shape[1:]), np.float32)
        for row in range(len(images) + count):
            request, before = requests[row % count], row - count
            if before >= 0:
                request.wait()
                outputs[before] = request.get_output_tensor(0).data[0]
            if row < len(images):
                request.start_async({0: images[row : row + 1]})
        return outputs

    return run


def torch_engine(network: nn.Module, device: str = "cpu") -> Engine:
    """Run `network` by PyTorch in float32 on `device`, in the channels-last layout.

    On a CPU images go one by one: larger batches are no faster there, and they round differently.
    """
    model = _FromBytes(network).eval().to(device).to(memory_format=torch.channels_last)

    def run(images: np.ndarray) -> np.ndarray:
        step = 1 if device == "cpu" else len(images)
        # TF32 is PyTorch's default for convolutions on CUDA, with errors near 1e-3: too many for
        # features that must not depend on the device.
        with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
            batches = torch.from_numpy(images).split(step)
            return torch.cat([model(batch.to(device)) for batch in batches]).cpu().numpy()

    return run


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
