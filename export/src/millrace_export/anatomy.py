"""What the batched graph must know about a torchvision detector, read from the model itself.

Which pyramid levels the RPN and the RoI poolers use, and at what strides, is not written in any attribute: the poolers
infer their scales from the first images they meet, and a subclass of the RPN may skip levels. So the model is watched
while it runs once on a blank canvas.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import MultiScaleRoIAlign

from .errors import ExportError

CANVAS_PX = 512  # every stride up to 512 divides it


@dataclass(frozen=True)
class PooledLevel:
    """A pyramid level that a RoI pooler reads."""

    name: str
    scale: float  # feature pixels per input pixel, a power of two


@dataclass(frozen=True)
class Anatomy:
    num_classes: int  # with the background, as torchvision counts
    has_masks: bool
    rpn_levels: tuple[str, ...]
    box_levels: tuple[PooledLevel, ...]
    mask_levels: tuple[PooledLevel, ...]  # empty without a mask branch


def examine(model: nn.Module) -> Anatomy:
    """The anatomy of a torchvision Faster or Mask R-CNN; ExportError where it is something else."""
    if not isinstance(model, GeneralizedRCNN) or not isinstance(model.roi_heads, RoIHeads):
        raise ExportError(
            f"{type(model).__name__} is not a torchvision Faster R-CNN or Mask R-CNN "
            "(torchvision.models.detection.FasterRCNN or MaskRCNN, or a subclass)"
        )
    if not isinstance(model.rpn, RegionProposalNetwork):
        raise ExportError(
            f"the proposals come from {type(model.rpn).__name__}, not torchvision's RegionProposalNetwork"
        )
    if model.roi_heads.has_keypoint():
        raise ExportError("keypoint models are not supported yet: the keypoint branch has no batched graph")

    features, rpn_inputs, class_logits, box_deltas = _run_on_canvas(model)
    if box_deltas.shape[1] != 4 * class_logits.shape[1]:
        raise ExportError(
            f"the box predictor gives {box_deltas.shape[1]} numbers a RoI for {class_logits.shape[1]} classes; "
            f"torchvision's gives four a class: {4 * class_logits.shape[1]}"
        )
    has_masks = model.roi_heads.has_mask()
    return Anatomy(
        num_classes=class_logits.shape[1],
        has_masks=has_masks,
        rpn_levels=_names_of(rpn_inputs, features),
        box_levels=_pooled_levels(model.roi_heads.box_roi_pool, features),
        mask_levels=_pooled_levels(model.roi_heads.mask_roi_pool, features) if has_masks else (),
    )


def _run_on_canvas(model: GeneralizedRCNN) -> tuple[dict[str, Tensor], list[Tensor], Tensor, Tensor]:
    """Backbone features by name, the RPN head's inputs, and the box predictor's outputs for one RoI."""
    rpn_inputs: list[Tensor] = []
    hook = model.rpn.head.register_forward_pre_hook(lambda _, args: rpn_inputs.extend(args[0]))
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            canvas = torch.zeros(1, 3, CANVAS_PX, CANVAS_PX)
            features = model.backbone(canvas)
            if isinstance(features, Tensor):
                features = {"0": features}
            model.rpn(ImageList(canvas, [(CANVAS_PX, CANVAS_PX)]), features)
            heads, pooler = model.roi_heads, model.roi_heads.box_roi_pool
            channels = features[pooler.featmap_names[0]].shape[1]
            logits, deltas = heads.box_predictor(heads.box_head(torch.zeros(1, channels, *pooler.output_size)))
    finally:
        hook.remove()
        model.train(was_training)
    return features, rpn_inputs, logits, deltas


def _names_of(levels: list[Tensor], features: dict[str, Tensor]) -> tuple[str, ...]:
    names = [next((name for name, feature in features.items() if feature is level), None) for level in levels]
    if None in names:
        raise ExportError("the RPN changes the backbone's features before its head; only choosing levels is supported")
    return tuple(names)


def _pooled_levels(pooler: nn.Module, features: dict[str, Tensor]) -> tuple[PooledLevel, ...]:
    """In the order of the features, like torchvision's `_filter_input`."""
    if not isinstance(pooler, MultiScaleRoIAlign):
        raise ExportError(f"RoIs are pooled by {type(pooler).__name__}, not torchvision's MultiScaleRoIAlign")
    return tuple(
        PooledLevel(name, 2.0 ** round(torch.tensor(feature.shape[-2] / CANVAS_PX).log2().item()))
        for name, feature in features.items()
        if name in pooler.featmap_names
    )
