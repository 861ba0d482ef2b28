"""Writes data/draw-masks.json: masks blended into an image by Pillow, as the tutorials' draw_masks_pil does it.

    python test/golden/draw_masks.py        (Pillow 13.0, NumPy, pycocotools 2.0)

Three overlapping masks, drawn in the order given, on noise; and one flat mask over each value of a channel.
"""

import base64
import json
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

ALPHA = 0.3


def draw_masks(image: Image.Image, masks: np.ndarray, colors: list[tuple[int, int, int]]) -> Image.Image:
    """`masks` is [N, H, W], boolean."""
    annotated = image.copy()
    for mask, color in zip(masks, colors):
        rgba = np.zeros((*mask.shape, 4), dtype=np.uint8)
        rgba[mask] = [*color, ALPHA * 255]
        overlay = Image.fromarray(rgba)
        annotated.paste(overlay, (0, 0), mask=overlay)
    return annotated


def case(pixels: np.ndarray, masks: np.ndarray, colors: list[tuple[int, int, int]]) -> dict:
    height, width, _ = pixels.shape
    drawn = np.asarray(draw_masks(Image.fromarray(pixels), masks, colors))
    return {
        "height": height,
        "width": width,
        "pixels": base64.b64encode(pixels.tobytes()).decode(),
        "colors": ["#%02x%02x%02x" % color for color in colors],
        "counts": [coco_mask.encode(np.asfortranarray(m.astype(np.uint8)))["counts"].decode() for m in masks],
        "drawn": base64.b64encode(drawn.tobytes()).decode(),
    }


def main() -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    ys, xs = np.mgrid[:30, :40]
    disk = (ys - 12) ** 2 + (xs - 15) ** 2 < 100
    full_columns = (xs >= 20) & (xs < 23)
    specks = random.random((30, 40)) < 0.3
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    cases = [
        case(noise, np.stack([disk, full_columns, specks]), [(255, 127, 14), (0, 0, 255), (46, 204, 64)]),
        case(ramp, np.ones((1, 1, 256), dtype=bool), [(1, 128, 254)]),
    ]
    path = Path(__file__).parent / "data" / "draw-masks.json"
    path.write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
