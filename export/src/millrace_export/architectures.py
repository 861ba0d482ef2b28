"""From an architecture's name, or a Python function's, to a torchvision detector with its final number of classes."""

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import detection

from .errors import ExportError
from .pictures import made_up_pictures

STOCK: dict[str, Callable[..., nn.Module]] = {
    "maskrcnn_resnet50_fpn": detection.maskrcnn_resnet50_fpn,
    "maskrcnn_resnet50_fpn_v2": detection.maskrcnn_resnet50_fpn_v2,
    "fasterrcnn_resnet50_fpn": detection.fasterrcnn_resnet50_fpn,
    "fasterrcnn_resnet50_fpn_v2": detection.fasterrcnn_resnet50_fpn_v2,
    "fasterrcnn_mobilenet_v3_large_fpn": detection.fasterrcnn_mobilenet_v3_large_fpn,
    "fasterrcnn_mobilenet_v3_large_320_fpn": detection.fasterrcnn_mobilenet_v3_large_320_fpn,
}

# torchvision sets the epsilon of these two's frozen batch normalisation to 0 when it loads their COCO weights (its
# overwrite_eps), so a model fine-tuned from them has lived with 0; no state dict records it.
ZERO_EPSILON_WHEN_FROZEN = {"maskrcnn_resnet50_fpn", "fasterrcnn_resnet50_fpn"}

LARGEST_LOGIT = 10.0  # a sigmoid of 10 is still far from rounding to 1


def build(arch: str, num_classes: int | None) -> nn.Module:
    """An untrained model; `num_classes` includes the background, as torchvision counts.

    A stock architecture built for `num_classes` has the very parameters of one whose predictors were replaced
    (FastRCNNPredictor, MaskRCNNPredictor with 256 hidden channels), as fine-tuning tutorials do.
    """
    if ":" in arch:
        return _build_from_function(arch, num_classes)
    if arch not in STOCK:
        raise ExportError(
            f'unknown architecture "{arch}"; known are {", ".join(STOCK)}, and "package.module:function" for your own'
        )
    if num_classes is None:
        raise ExportError("the number of classes is not known: give --num-classes, --classes or --colormap")
    if num_classes < 2:
        raise ExportError(f"--num-classes {num_classes}: it counts the background too, so it is at least 2")
    return STOCK[arch](weights=None, weights_backbone=None, num_classes=num_classes).eval()


def _build_from_function(arch: str, num_classes: int | None) -> nn.Module:
    module_name, _, function_name = arch.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # a module beside the user, as `python -m` would find it
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError) as error:
        raise ExportError(f'--arch "{arch}": {error}') from error
    if not callable(function):
        raise ExportError(f'--arch "{arch}" is not a function')
    takes_count = num_classes is not None and _takes_num_classes(function)
    model = function(num_classes=num_classes) if takes_count else function()
    if not isinstance(model, nn.Module):
        raise ExportError(f'--arch "{arch}" returned {type(model).__name__}, not a torch.nn.Module')
    return model.eval()


def _takes_num_classes(function: Callable[..., nn.Module]) -> bool:
    try:
        return "num_classes" in inspect.signature(function).parameters
    except ValueError:  # some built-in callables have no signature
        return False


def set_batch_norm_epsilon(model: nn.Module, epsilon: float) -> None:
    for module in model.backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = epsilon


def enliven(model: nn.Module, seed: int) -> None:
    """Make an untrained model behave as a trained one does in numbers: for benchmarks and comparisons.

    With fresh weights activations fade from layer to layer and every box scores alike, many to the last bit: nothing
    passes the threshold, and where scores tie, which box survives is chance. So batch normalisation takes its
    statistics from made-up pictures, and objectness and class scores are spread over the boxes found in them.
    """
    pictures = [picture.to(torch.float32) / 255 for picture in made_up_pictures(model, seed)]
    _set_batch_norm_statistics(model, pictures)
    _spread_layer(model, model.rpn.head.cls_logits, pictures)
    _spread_layer(model, model.roi_heads.box_predictor.cls_score, pictures)


def _set_batch_norm_statistics(model: nn.Module, pictures: list[Tensor]) -> None:
    layers = [module for module in model.backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain average over all pictures
        layer.train()
    with torch.no_grad():
        for picture in pictures:
            model.backbone(model.transform.normalize(picture)[None])
    for layer in layers:
        layer.eval()


def _spread_layer(model: nn.Module, layer: nn.Linear | nn.Conv2d, pictures: list[Tensor]) -> None:
    """Give each channel of `layer` zero mean over what `pictures` hold, and the largest of all outputs LARGEST_LOGIT."""
    outputs: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _module, _args, output: outputs.append(output))
    with torch.no_grad():
        for picture in pictures:
            model([picture])
        hook.remove()
        logits = torch.cat([output.transpose(0, 1).flatten(1) for output in outputs], dim=1)  # [channels, boxes]
        mean = logits.mean(dim=1)
        scale = LARGEST_LOGIT / (logits - mean[:, None]).abs().max()
        layer.weight.mul_(scale)
        layer.bias.copy_((layer.bias - mean) * scale)
