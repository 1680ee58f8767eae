"""What a model looks at and how it orders images: pictures, and numbers beside them."""

from iqa.explain.deletion import area, compare_orders, minus_random, random_heat
from iqa.explain.gradcam import overlay, score_maps, signed_maps
from iqa.explain.localization import (
    blur_region,
    concentration,
    localize,
    lowering,
    raising,
    regions,
    sharp_photographs,
)
from iqa.explain.pictures import by_quarter, by_region
from iqa.explain.tsne import FEATURE, Embedding, embed, hidden_spaces, quality_buckets

__all__ = [
    "FEATURE",
    "Embedding",
    "area",
    "blur_region",
    "by_quarter",
    "by_region",
    "compare_orders",
    "concentration",
    "embed",
    "hidden_spaces",
    "localize",
    "lowering",
    "minus_random",
    "overlay",
    "quality_buckets",
    "raising",
    "random_heat",
    "regions",
    "score_maps",
    "sharp_photographs",
    "signed_maps",
]
