"""KADID-10k's 25 distortion types in 7 groups, at 5 levels each.

After Lin, Hosu, Saupe, "KADID-10k: A Large-scale Artificially Distorted IQA Database", QoMEX 2019,
10.1109/QoMEX.2019.8743252. The types and groups are theirs; the operations are scipy's,
scikit-image's and Pillow's, and the strengths are ours, for images of about 384x288 pixels. Levels
that are signed there (saturation, mean shift, contrast) are magnitudes here, which grow with the
level. Every function takes an image, float (H, W, 3) in [0, 1], a strength and a generator, and
returns an image of the same shape, not yet clipped.

`scipy` and `skimage` are imported whole: they load their parts when these are first used, and every
command knows the demo set, but few make it.
"""

from iqa.datasets.distortions.conversion import from_bytes, to_bytes
from iqa.datasets.distortions.table import DISTORTIONS, Distortion

__all__ = ["DISTORTIONS", "Distortion", "from_bytes", "to_bytes"]
