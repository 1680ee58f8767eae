"""A backbone and a head as one model that scores images, and the file it is kept in."""

from iqa.models.info import ModelInfo
from iqa.models.model_file import load_model, save_model
from iqa.models.quality import QualityModel

__all__ = ["ModelInfo", "QualityModel", "load_model", "save_model"]
