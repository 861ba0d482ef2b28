"""Pictures to run a model on, and padding them into a batch of the `millrace` contract."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN

from .errors import ExportError

PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
MAX_PICTURES = 8


@dataclass(frozen=True)
class Batch:
    images: Tensor  # [B, H, W, 3] uint8
    image_sizes: Tensor  # [B, 2]: true height and width


def read_pictures(folder: Path) -> list[Tensor]:
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in PICTURE_SUFFIXES)[:MAX_PICTURES]
    if not paths:
        raise ExportError(f"--verify-images {folder}: no picture in this folder")
    pixels = [np.array(Image.open(path).convert("RGB")) for path in paths]
    return [torch.from_numpy(array).permute(2, 0, 1) for array in pixels]


def made_up_pictures(model: GeneralizedRCNN, seed: int) -> list[Tensor]:
    """Three pictures [3, h, w] uint8 of overlapping coloured rectangles on noise, of different shapes."""
    random = np.random.default_rng(seed)
    size = min(model.transform.min_size[-1], model.transform.max_size)
    pictures = []
    for height, width in ((size, size * 5 // 4), (size * 9 // 10, size), (size, size)):
        pixels = random.integers(60, 190, (height, width, 3), dtype=np.uint8)
        for _ in range(8):
            x, y = random.integers(0, width * 3 // 4), random.integers(0, height * 3 // 4)
            w, h = random.integers(width // 10, width // 2), random.integers(height // 10, height // 2)
            pixels[y : y + h, x : x + w] = random.integers(0, 256, 3)
        pictures.append(torch.from_numpy(pixels).permute(2, 0, 1))
    return pictures


def resize_as(model: GeneralizedRCNN, image: Tensor) -> Tensor:
    """torchvision's inference resize of [3, h, w] uint8, back to uint8."""
    resized, _ = model.transform.resize(image.to(torch.float32))
    return resized.round().clamp(0, 255).to(torch.uint8)


def pad_batch(images: Sequence[Tensor], divisor: int) -> Batch:
    """Images [3, h, w] at the top left of one canvas, its sides rounded up to multiples of `divisor`."""
    height, width = (-(-max(image.shape[axis] for image in images) // divisor) * divisor for axis in (1, 2))
    canvas = torch.zeros(len(images), height, width, 3, dtype=torch.uint8)
    for index, image in enumerate(images):
        canvas[index, : image.shape[1], : image.shape[2]] = image.permute(1, 2, 0)
    return Batch(canvas, torch.tensor([image.shape[-2:] for image in images]))
