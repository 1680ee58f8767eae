"""Low-rank adapters (LoRA, Hu et al., ICLR 2022): the frozen weight W acts as W + alpha/r B A."""

from iqa.backbones.model import Backbone


def add_lora(backbone: Backbone, rank: int = 4, alpha: int = 8, dropout: float = 0.05) -> Backbone:
    """Put adapters into `backbone`, in place, and freeze all its other parameters.

    They sit on the modules that `backbone.spec.lora_targets` names: the query and key projections
    of a transformer's blocks, the pointwise convolutions of a convolutional network. B starts at
    zero, so the features are at first unchanged; A is drawn from PyTorch's global random state. The
    adapters' parameters are float32, whatever the backbone's are. Running statistics of batch
    normalisation are no parameters: they follow `train()` and `eval()` as before.

    Args:
        backbone: as `iqa.backbones.load` gives it, without adapters.
        rank: r, the inner dimension of B A. The defaults are those of the paper's code.
        alpha: the adapters' output is multiplied by alpha / r.
        dropout: the probability that an input of A is zeroed in training.

    Returns:
        `backbone` itself.
    """
    # Here, as it takes seconds, and only adapters need it.
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        bias="none",
        target_modules=backbone.spec.lora_targets,
    )
    inject_adapter_in_model(config, backbone.body)
    for parameter in backbone.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    # New modules start in training mode, with dropout, whatever mode the others are in.
    return backbone.train(backbone.training)


def merge_lora(backbone: Backbone) -> Backbone:
    """Add the adapters to the weights they adapt and take them out, in place.

    What is left has the parameters, and their names, of a backbone that never had adapters; all of
    them are trainable again.

    Args:
        backbone: as `add_lora` left it, trained or not.

    Returns:
        `backbone` itself.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    adapted = [
        (name, module)
        for name, module in backbone.body.named_modules()
        if isinstance(module, BaseTunerLayer)
    ]
    for name, module in adapted:
        module.merge()
        parent, _, leaf = name.rpartition(".")
        setattr(backbone.body.get_submodule(parent), leaf, module.get_base_layer())
    return backbone.requires_grad_(True)
