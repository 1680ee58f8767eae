"""No-reference image quality assessment with pretrained backbones and learned activations."""

__version__ = "0.1.0"
