"""What runs on this machine and what is missing, each in one line with its remedy."""

from iqa.doctor.examination import examine
from iqa.doctor.finding import Finding

__all__ = ["Finding", "examine"]
