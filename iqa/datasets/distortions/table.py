"""The 25 distortions and their five strengths each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from iqa.datasets.distortions import blur, colour, compression, noise, spatial, tone


@dataclass(frozen=True)
class Distortion:
    """One way to damage an image.

    Attributes:
        name: such as "gaussian-blur".
        family: one of KADID-10k's seven groups.
        function: (image, strength, rng) -> image; image is float (H, W, 3) in [0, 1].
        strengths: the strength of level 1 (hardly visible) to level 5 (severe), in the unit that
            `function` states.
    """

    name: str
    family: str
    function: Callable[[np.ndarray, float, Generator], np.ndarray]
    strengths: tuple[float, float, float, float, float]

    def apply(self, image: np.ndarray, level: int, rng: Generator) -> np.ndarray:
        """Distort `image`, float (H, W, 3) in [0, 1], at `level` 1 to 5; same shape and range."""
        return np.clip(self.function(image, self.strengths[level - 1], rng), 0, 1)


_FAMILIES = {
    "blur": (
        ("gaussian-blur", blur.gaussian, (0.6, 1.0, 1.6, 2.6, 4.5)),
        ("lens-blur", blur.lens, (1, 1.8, 3, 4.5, 7)),
        ("motion-blur", blur.motion, (3, 5, 8, 13, 21)),
    ),
    "colour": (
        ("colour-diffusion", colour.diffusion, (2, 4, 7, 12, 20)),
        ("colour-shift", colour.misregistration, (0.7, 1.3, 2.2, 4, 8)),
        ("colour-quantization", colour.palette, (64, 40, 24, 12, 6)),
        ("desaturation", colour.desaturation, (0.3, 0.5, 0.7, 0.85, 1.0)),
        ("oversaturation", colour.oversaturation, (1.4, 1.8, 2.5, 3.8, 6)),
    ),
    "compression": (
        ("jpeg2000", compression.jpeg2000, (20, 35, 60, 110, 220)),
        ("jpeg", compression.jpeg, (45, 30, 18, 10, 5)),
    ),
    "noise": (
        ("white-noise", noise.white, (0.025, 0.045, 0.07, 0.11, 0.17)),
        ("white-noise-ycbcr", noise.white_ycbcr, (0.015, 0.025, 0.04, 0.06, 0.09)),
        ("impulse-noise", noise.impulse, (0.003, 0.01, 0.025, 0.05, 0.1)),
        ("multiplicative-noise", noise.multiplicative, (0.06, 0.1, 0.16, 0.25, 0.4)),
        ("denoising", noise.denoised, (0.03, 0.05, 0.08, 0.12, 0.18)),
    ),
    "brightness": (
        ("brighten", tone.brighten, (0.15, 0.3, 0.6, 1.0, 1.7)),
        ("darken", tone.darken, (0.15, 0.3, 0.6, 1.0, 1.7)),
        ("mean-shift", tone.mean_shift, (0.06, 0.12, 0.18, 0.26, 0.36)),
    ),
    "spatial": (
        ("jitter", spatial.jitter, (0.3, 0.5, 0.8, 1.3, 2.2)),
        ("displaced-patches", spatial.displaced_patches, (10, 25, 50, 90, 160)),
        ("pixelation", spatial.pixelate, (2, 3, 4, 6, 9)),
        ("quantization", spatial.quantize, (20, 13, 9, 6, 4)),
        ("colour-blocks", spatial.colour_blocks, (1, 3, 6, 10, 16)),
    ),
    "sharpness and contrast": (
        ("oversharpening", tone.sharpen, (0.7, 1.3, 2.5, 5, 10)),
        ("contrast-change", tone.contrast, (0.15, 0.3, 0.45, 0.6, 0.75)),
    ),
}

DISTORTIONS = {
    name: Distortion(name, family, function, strengths)
    for family, entries in _FAMILIES.items()
    for name, function, strengths in entries
}
