"""torchvision's Faster and Mask R-CNN as one batched graph, without its Python loops over images.

torchvision keeps a list of tensors, one an image, from the RPN on; tracing such loops freezes the batch. Here every
stage works on padded tensors [B, K, ...], and rejected rows carry a score of -1 until they fall out of a TopK. All
parameters and all arithmetic are the model's own: backbone, heads, anchors, box coders and thresholds are called, not
rebuilt, so that the results are torchvision's on the same padded batch.

One difference remains by design: above 1,000 boxes torchvision suppresses level by level (class by class) on a CPU,
below it moves the boxes of different levels (classes) apart and suppresses once. This module always does the latter;
the shift costs the last bits of an IoU.

Boxes are xyxy in pixels of the network input throughout. B images, R proposals and N detections an image, C classes
with the background.
"""

import torch
from torch import Tensor, nn
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.ops import MultiScaleRoIAlign

from .anatomy import Anatomy, PooledLevel, examine
from .onnx_ops import non_max_suppression, roi_align_batched, top_k_at_most

MIN_DETECTION_SIZE_PX = 1e-2  # fixed in torchvision's RoIHeads.postprocess_detections
LEVEL_EPSILON = 1e-6  # of torchvision's LevelMapper
REJECTED = -1.0  # the score of a row that is not there: below any probability
ABOVE_REJECTED = -0.5


class BatchedRCNN(nn.Module):
    """The `millrace` contract around a torchvision detector.

    forward(images, image_sizes):
        images       [B, H, W, 3] uint8, or float32 on 0..255; RGB, each image at the top left of its canvas
        image_sizes  [B, 2] int64: the true height and width of each image; what lies outside is masked
    returns:
        num_detections  [B] int64
        boxes           [B, N, 4] float32, clipped to the true size
        labels          [B, N] int64, 1 .. C - 1
        scores          [B, N] float32, falling
        masks           [B, N, 28, 28] float32 probabilities over each box (Mask R-CNN only; the size is the model's)
    Rows from num_detections on are zeros.
    """

    def __init__(self, model: GeneralizedRCNN, anatomy: Anatomy | None = None) -> None:
        super().__init__()
        self.model = model
        self.anatomy = anatomy or examine(model)
        self.register_buffer("mean", torch.tensor(model.transform.image_mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(model.transform.image_std).view(1, 3, 1, 1), persistent=False)
        self.eval()

    def forward(self, images: Tensor, image_sizes: Tensor) -> tuple[Tensor, ...]:
        pixels = self._normalise(images, image_sizes)
        features = self.model.backbone(pixels)
        if isinstance(features, Tensor):
            features = {"0": features}
        proposals, is_proposal = self._propose(pixels, features, image_sizes)
        boxes, labels, scores = self._detect(features, proposals, is_proposal, image_sizes)
        found = scores > ABOVE_REJECTED
        outputs = (found.sum(dim=1), boxes * found[..., None], labels * found, scores * found)
        if not self.anatomy.has_masks:
            return outputs
        return (*outputs, self._masks(features, boxes, labels, found))

    def _normalise(self, images: Tensor, image_sizes: Tensor) -> Tensor:
        """[B, 3, H, W] as torchvision's transform leaves it: the padding is zero after normalisation."""
        pixels = (images.permute(0, 3, 1, 2).to(torch.float32) / 255 - self.mean) / self.std
        height, width = pixels.shape[-2:]
        inside_rows = torch.arange(height)[None] < image_sizes[:, :1]
        inside_columns = torch.arange(width)[None] < image_sizes[:, 1:]
        return pixels * (inside_rows[:, None, :, None] & inside_columns[:, None, None, :])

    def _propose(self, pixels: Tensor, features: dict[str, Tensor], image_sizes: Tensor) -> tuple[Tensor, Tensor]:
        """RegionProposalNetwork.forward: proposals [B, R, 4] and which of them are real [B, R]."""
        rpn = self.model.rpn
        levels = [features[name] for name in self.anatomy.rpn_levels]
        all_objectness, all_deltas = rpn.head(levels)
        batch = pixels.shape[0]
        boxes, scores, level_of = [], [], []
        for index, (objectness, deltas, anchors) in enumerate(
            zip(all_objectness, all_deltas, self._anchors(pixels, levels))
        ):
            height, width = deltas.shape[-2:]
            objectness = objectness.permute(0, 2, 3, 1).flatten(1)
            deltas = deltas.reshape(batch, -1, 4, height, width).permute(0, 3, 4, 1, 2).reshape(batch, -1, 4)
            objectness, top = top_k_at_most(objectness, rpn.pre_nms_top_n())
            boxes.append(rpn.box_coder.decode_single(_rows(deltas, top).reshape(-1, 4), anchors[top].reshape(-1, 4)))
            boxes[-1] = boxes[-1].reshape(batch, -1, 4)
            scores.append(objectness.sigmoid())
            level_of.append(torch.full_like(objectness, index))

        proposals = _clip(torch.cat(boxes, dim=1), image_sizes)
        probability = torch.cat(scores, dim=1)
        real = _at_least(proposals, rpn.min_size) & (probability >= rpn.score_thresh)
        probability = torch.where(real, probability, torch.full_like(probability, REJECTED))
        probability = _suppress(proposals, probability, torch.cat(level_of, dim=1), rpn.nms_thresh)
        probability, top = top_k_at_most(probability, rpn.post_nms_top_n())
        return _rows(proposals, top), probability > ABOVE_REJECTED

    def _anchors(self, pixels: Tensor, levels: list[Tensor]) -> list[Tensor]:
        """The anchors [A * h * w, 4] of each level, by the model's own generator."""
        generator = self.model.rpn.anchor_generator
        generator.set_cell_anchors(pixels.dtype, pixels.device)
        height, width = pixels.shape[-2:]
        grids = [level.shape[-2:] for level in levels]
        strides = [[_floor_divide(height, grid[0]), _floor_divide(width, grid[1])] for grid in grids]
        return generator.grid_anchors(grids, strides)

    def _detect(
        self, features: dict[str, Tensor], proposals: Tensor, is_proposal: Tensor, image_sizes: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The box branch of RoIHeads: boxes [B, N, 4], labels [B, N], scores [B, N]."""
        heads = self.model.roi_heads
        foreground = self.anatomy.num_classes - 1
        batch, per_image = is_proposal.shape
        rows, image_of_row = _real_rows(is_proposal)
        rois = proposals.reshape(-1, 4)[rows]

        pooled = _pool(heads.box_roi_pool, self.anatomy.box_levels, features, rois, image_of_row)
        logits, deltas = heads.box_predictor(heads.box_head(pooled))
        boxes = heads.box_coder.decode_single(deltas, rois).reshape(-1, foreground + 1, 4)[:, 1:]
        boxes = _clip(boxes, image_sizes[image_of_row])
        scores = logits.softmax(dim=-1)[:, 1:]
        real = (scores > heads.score_thresh) & _at_least(boxes, MIN_DETECTION_SIZE_PX)
        scores = torch.where(real, scores, torch.full_like(scores, REJECTED))

        # back to one row of candidates an image: [B, R * (C - 1)]
        all_boxes = torch.zeros(batch * per_image, foreground, 4).index_put((rows,), boxes)
        all_scores = torch.full((batch * per_image, foreground), REJECTED).index_put((rows,), scores)
        all_boxes, all_scores = all_boxes.reshape(batch, -1, 4), all_scores.reshape(batch, -1)
        all_labels = (torch.arange(foreground) + 1).expand(batch, per_image, foreground).reshape(batch, -1)

        all_scores = _suppress(all_boxes, all_scores, all_labels.to(all_scores.dtype), heads.nms_thresh)
        top_scores, top = top_k_at_most(all_scores, heads.detections_per_img)
        return _rows(all_boxes, top), all_labels.gather(1, top), top_scores

    def _masks(self, features: dict[str, Tensor], boxes: Tensor, labels: Tensor, found: Tensor) -> Tensor:
        """The mask branch of RoIHeads, run on the real detections alone: [B, N, 28, 28]."""
        heads = self.model.roi_heads
        batch, per_image = found.shape
        rows, image_of_row = _real_rows(found)
        rois = boxes.reshape(-1, 4)[rows]
        pooled = _pool(heads.mask_roi_pool, self.anatomy.mask_levels, features, rois, image_of_row)
        logits = heads.mask_predictor(heads.mask_head(pooled))
        height, width = logits.shape[-2:]
        label_of_row = labels.reshape(-1)[rows][:, None, None, None].expand(-1, 1, height, width)
        probability = logits.gather(1, label_of_row)[:, 0].sigmoid()
        masks = torch.zeros(batch * per_image, height, width).index_put((rows,), probability)
        return masks.reshape(batch, per_image, height, width)


def _pool(
    pooler: MultiScaleRoIAlign,
    levels: tuple[PooledLevel, ...],
    features: dict[str, Tensor],
    rois: Tensor,
    image_of_roi: Tensor,
) -> Tensor:
    """MultiScaleRoIAlign.forward with image indices: [R, C, h, w] of rois [R, 4] in the images [R]."""
    pooled, order = [], []
    level_of_roi = _level_of(rois, pooler, levels)
    for index, level in enumerate(levels):
        here = torch.where(level_of_roi == index)[0]
        pooled.append(
            roi_align_batched(
                features[level.name],
                rois[here],
                image_of_roi[here],
                pooler.output_size,
                level.scale,
                pooler.sampling_ratio,
            )
        )
        order.append(here)
    place = torch.cat(order)
    position = torch.zeros_like(place).scatter(0, place, torch.arange(place.shape[0]))
    return torch.cat(pooled)[position]


def _level_of(rois: Tensor, pooler: MultiScaleRoIAlign, levels: tuple[PooledLevel, ...]) -> Tensor:
    """torchvision's LevelMapper, equation 1 of the FPN paper: the index into `levels` of each roi."""
    finest, coarsest = (-torch.tensor(level.scale).log2().item() for level in (levels[0], levels[-1]))
    size = torch.sqrt((rois[:, 2] - rois[:, 0]) * (rois[:, 3] - rois[:, 1]))
    level = torch.floor(pooler.canonical_level + torch.log2(size / pooler.canonical_scale) + LEVEL_EPSILON)
    return (level.clamp(min=finest, max=coarsest) - finest).to(torch.int64)


def _suppress(boxes: Tensor, scores: Tensor, group: Tensor, iou_threshold: float) -> Tensor:
    """torchvision's batched_nms by image and group: scores [B, K], REJECTED where suppressed.

    Boxes [B, K, 4] of different groups [B, K] are moved apart by more than the image's largest coordinate. That maximum
    is each image's own, over its real candidates, as when torchvision sees the image alone: a neighbour in the batch
    must not move the rounding of an IoU.
    """
    real = (scores > ABOVE_REJECTED)[..., None]
    largest = (boxes * real).flatten(1).max(dim=1, keepdim=True)[0]
    shifted = boxes + (group * (largest + 1))[..., None]
    keep = non_max_suppression(shifted, scores, iou_threshold, ABOVE_REJECTED)
    return torch.where(keep, scores, torch.full_like(scores, REJECTED))


def _clip(boxes: Tensor, sizes: Tensor) -> Tensor:
    """Boxes [X, K, 4] clipped to the (height, width) [X, 2] of their image."""
    height_width = sizes.to(boxes.dtype)[:, None]
    limits = height_width[..., [1, 0, 1, 0]]
    return torch.min(boxes.clamp(min=0), limits)


def _at_least(boxes: Tensor, size_px: float) -> Tensor:
    return ((boxes[..., 2] - boxes[..., 0]) >= size_px) & ((boxes[..., 3] - boxes[..., 1]) >= size_px)


def _rows(table: Tensor, index: Tensor) -> Tensor:
    """Rows [B, k, 4] of a table [B, K, 4] by index [B, k]."""
    return table.gather(1, index[..., None].expand(-1, -1, 4))


def _real_rows(real: Tensor) -> tuple[Tensor, Tensor]:
    """Of a mask [B, K]: the flat positions of its true entries, and the image of each."""
    rows = torch.where(real.reshape(-1))[0]
    return rows, torch.div(rows, real.shape[1], rounding_mode="floor")


def _floor_divide(a: int, b: int) -> int:
    """Of traced sizes too, where `//` warns; both are tensors while tracing and plain numbers otherwise."""
    return torch.div(a, b, rounding_mode="floor") if isinstance(a, Tensor) else a // b
