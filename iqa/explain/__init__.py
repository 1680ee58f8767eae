"""Pictures of what a model looks at and how it orders images."""

from iqa.explain.gradcam import overlay, score_maps
from iqa.explain.tsne import Embedding, embed, quality_buckets

__all__ = ["Embedding", "embed", "overlay", "quality_buckets", "score_maps"]
