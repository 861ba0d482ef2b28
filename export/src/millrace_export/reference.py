"""torchvision's own answer on a given padded batch: what every export is compared with."""

import torch
from torch import Tensor
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.models.detection.image_list import ImageList


def torchvision_on_batch(model: GeneralizedRCNN, images: Tensor, image_sizes: Tensor) -> list[dict[str, Tensor]]:
    """One dict an image of boxes [n, 4] (xyxy, input pixels), labels [n], scores [n] and, of a Mask R-CNN, masks
    [n, 28, 28]; images [B, H, W, 3] on 0..255, image_sizes [B, 2] as in the `millrace` contract.

    The model's transform is left out, since resizing and padding are what makes the batch; normalisation is repeated.
    """
    sizes = [(int(height), int(width)) for height, width in image_sizes]
    pixels = images.permute(0, 3, 1, 2).to(torch.float32) / 255
    padded = torch.zeros_like(pixels)
    for index, (height, width) in enumerate(sizes):
        padded[index, :, :height, :width] = model.transform.normalize(pixels[index, :, :height, :width])
    with torch.inference_mode():
        features = model.backbone(padded)
        if isinstance(features, Tensor):
            features = {"0": features}
        batch = ImageList(padded, sizes)
        proposals, _ = model.rpn(batch, features)
        detections, _ = model.roi_heads(features, proposals, sizes)
    for detection in detections:
        if "masks" in detection:
            detection["masks"] = detection["masks"][:, 0]
    return detections
