"""ONNX operators that PyTorch's exporter has no batched spelling for: NonMaxSuppression, RoiAlign, TopK.

Each runs eagerly with torchvision's own kernel, so a module built from them can be compared with torchvision before it
is exported, and becomes one standard operator in the graph.
"""

import torch
from torch import Tensor
from torchvision.ops import nms, roi_align

OPSET = 17  # RoiAlign's coordinate_transformation_mode came with 16, LayerNormalization (for backbones) with 17

_NO_LIMIT = 2**31 - 1


class _NonMaxSuppression(torch.autograd.Function):
    @staticmethod
    def forward(ctx, boxes: Tensor, scores: Tensor, iou_threshold: float, score_threshold: float) -> Tensor:
        selected = [torch.zeros((0, 3), dtype=torch.int64)]
        for image, (image_boxes, image_scores) in enumerate(zip(boxes, scores[:, 0])):
            candidates = torch.where(image_scores > score_threshold)[0]
            kept = candidates[nms(image_boxes[candidates], image_scores[candidates], iou_threshold)]
            selected.append(torch.stack([torch.full_like(kept, image), torch.zeros_like(kept), kept], dim=1))
        return torch.cat(selected)

    @staticmethod
    def symbolic(g, boxes, scores, iou_threshold, score_threshold):
        def constant(value, dtype):
            return g.op("Constant", value_t=torch.tensor([value], dtype=dtype))

        return g.op(
            "NonMaxSuppression",
            boxes,
            scores,
            constant(_NO_LIMIT, torch.int64),
            constant(iou_threshold, torch.float32),
            constant(score_threshold, torch.float32),
        )


def non_max_suppression(boxes: Tensor, scores: Tensor, iou_threshold: float, score_threshold: float) -> Tensor:
    """Which boxes survive, each image for itself: mask [B, K] of the boxes [B, K, 4] (xyxy) with scores [B, K].

    Boxes with scores of at most `score_threshold` take no part.
    """
    selected = _NonMaxSuppression.apply(boxes, scores[:, None], iou_threshold, score_threshold)
    ones = torch.ones_like(selected[:, 0], dtype=scores.dtype)
    return torch.zeros_like(scores).index_put((selected[:, 0], selected[:, 2]), ones) > 0


class _RoiAlign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, features, rois, images, height, width, scale, sampling_ratio):
        rois_with_image = torch.cat([images[:, None].to(rois.dtype), rois], dim=1)
        return roi_align(features, rois_with_image, (height, width), scale, sampling_ratio)

    @staticmethod
    def symbolic(g, features, rois, images, height, width, scale, sampling_ratio):
        return g.op(
            "RoiAlign",
            features,
            rois,
            images,
            output_height_i=height,
            output_width_i=width,
            sampling_ratio_i=max(sampling_ratio, 0),  # torchvision says -1 for "adaptive", ONNX says 0
            spatial_scale_f=scale,
            coordinate_transformation_mode_s="output_half_pixel",  # torchvision's aligned=False
        )


def roi_align_batched(
    features: Tensor, rois: Tensor, images: Tensor, output_size: tuple[int, int], scale: float, sampling_ratio: int
) -> Tensor:
    """torchvision's roi_align (aligned=False) of rois [R, 4] (xyxy, input pixels), each in its image [R] of the batch.

    features [B, C, H, W]; `scale` is feature pixels per input pixel. Returns [R, C, *output_size].
    """
    return _RoiAlign.apply(features, rois, images, *output_size, scale, sampling_ratio)


def top_k_at_most(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The `k` largest of each row of [B, K], or all of a shorter row, in falling order: values and indices."""
    available = torch._shape_as_tensor(scores)[1]  # stays in the graph; scores.shape[1] may be frozen by tracing
    limit = torch.min(available, torch.tensor(k))
    return scores.topk(limit if torch.onnx.is_in_onnx_export() else int(limit), dim=1)
