"""Writes data/vision/*.json: what torchvision, PyTorch, detectron2's paste and pycocotools make of seeded inputs.

    python test/golden/make_vision_goldens.py

Made with Python 3.11, PyTorch 2.15 (on an AVX-512 CPU), torchvision 0.29, pycocotools 2.0.11 and NumPy 2.4. PyTorch has
several kernels for one operation and chooses by size and threads. They differ in whether a pixel's source position is
rounded once or twice, which is 3e-5 on 0..1 where neighbouring pixels are black and white; one thread gives the kernel
that rounds once. The pasted masks are the same with both. Prints what rounding a resized image to whole grey levels
costs.

Mask grids and soft masks are kept as 16-bit integers k that stand for float32(k / 65535).
"""

import base64
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from pycocotools import mask as coco_mask
from torchvision.models.detection.roi_heads import expand_boxes, paste_masks_in_image
from torchvision.models.detection.transform import _resize_image_and_masks, resize_boxes

DATA = Path(__file__).parent / "data" / "vision"
GRID = 28


def base64_of(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def write(name: str, value: object) -> None:
    path = DATA / f"{name}.json"
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


def encode(mask: np.ndarray) -> dict:
    """[H, W], boolean."""
    rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"counts": rle["counts"].decode(), "area": int(coco_mask.area(rle))}


# --- run lengths ------------------------------------------------------------------------------------------------------


def rle_goldens(random: np.random.Generator) -> None:
    masks = [np.zeros((4, 3), bool), np.ones((4, 3), bool), np.ones((1, 1), bool), np.ones((1, 50), bool)]
    for height, width, density in [(1, 9, 0.5), (9, 1, 0.5), (7, 5, 0.1), (16, 20, 0.9), (40, 31, 0.5), (60, 80, 0.02)]:
        masks.append(random.random((height, width)) < density)
    ys, xs = np.mgrid[:300, :250]
    masks.append((ys - 120) ** 2 + (xs - 130) ** 2 < 100**2)
    cases = []
    for mask in masks:
        rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
        x, y, width, height = coco_mask.toBbox(rle).tolist()
        cases.append(
            {
                "height": mask.shape[0],
                "width": mask.shape[1],
                "bits": base64_of(np.packbits(mask)),
                "box": [x, y, x + width, y + height],
                **encode(mask),
            }
        )
    write("rle", cases)


# --- masks over boxes -------------------------------------------------------------------------------------------------


def torchvision_paste(grid: torch.Tensor, box: torch.Tensor, height: int, width: int) -> torch.Tensor:
    x0, y0, x1, y1 = expand_boxes(box[None], (GRID + 2) / GRID).to(torch.int64)[0].tolist()
    if x1 < 0 or y1 < 0 or x0 >= width or y0 >= height:  # torchvision takes negative indices for those from the end
        return torch.zeros((height, width), dtype=torch.bool)
    return paste_masks_in_image(grid[None, None], box[None], (height, width))[0, 0] > 0.5


def detectron2_paste(grid: torch.Tensor, box: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """detectron2/layers/mask_ops.py, `_do_paste_mask` with `skip_empty`, one mask as on the CPU; `>= 0.5`."""
    boxes = box[None]
    x0_int, y0_int = torch.clamp(boxes.min(dim=0).values.floor()[:2] - 1, min=0).to(dtype=torch.int32)
    x1_int = torch.clamp(boxes[:, 2].max().ceil() + 1, max=width).to(dtype=torch.int32)
    y1_int = torch.clamp(boxes[:, 3].max().ceil() + 1, max=height).to(dtype=torch.int32)
    image = torch.zeros((height, width), dtype=torch.bool)
    if x1_int <= x0_int or y1_int <= y0_int:
        return image
    x0, y0, x1, y1 = torch.split(boxes, 1, dim=1)
    img_y = torch.arange(y0_int, y1_int, dtype=torch.float32) + 0.5
    img_x = torch.arange(x0_int, x1_int, dtype=torch.float32) + 0.5
    img_y = (img_y - y0) / (y1 - y0) * 2 - 1
    img_x = (img_x - x0) / (x1 - x0) * 2 - 1
    gx = img_x[:, None, :].expand(1, img_y.size(1), img_x.size(1))
    gy = img_y[:, :, None].expand(1, img_y.size(1), img_x.size(1))
    pasted = F.grid_sample(grid[None, None], torch.stack([gx, gy], dim=3), align_corners=False)
    image[y0_int:y1_int, x0_int:x1_int] = pasted[0, 0] >= 0.5
    return image


def soft_blob(random: np.random.Generator, size: int = GRID) -> np.ndarray:
    """What a trained mask head puts out: an irregular shape with soft edges."""
    ys, xs = np.mgrid[:size, :size] / size - random.uniform(0.4, 0.6)
    angle = np.arctan2(ys, xs)
    waves = sum(random.normal(0, 0.06) * np.cos(k * angle + random.uniform(0, 6.3)) for k in range(1, 6))
    distance = np.hypot(ys, xs * random.uniform(0.6, 1.6)) - random.uniform(0.2, 0.5) - waves
    return 1 / (1 + np.exp(np.clip(distance * random.uniform(15, 120), -30, 30)))


def grids(random: np.random.Generator) -> list[np.ndarray]:
    blobs = [soft_blob(random) for _ in range(40)]
    noise = [random.random((GRID, GRID)) for _ in range(6)]
    near_threshold = [0.5 + random.normal(0, 0.002, (GRID, GRID)) for _ in range(4)]
    flat = [np.zeros((GRID, GRID)), np.ones((GRID, GRID)), np.full((GRID, GRID), 32768 / 65535)]
    return [np.round(grid * 65535).astype(np.uint16) for grid in blobs + noise + near_threshold + flat]


def random_box(random: np.random.Generator, height: int, width: int, sides: tuple[float, float]) -> list[float]:
    w, h = np.exp(random.uniform(math.log(sides[0]), math.log(sides[1]), 2))
    x, y = random.uniform(0, width), random.uniform(0, height)
    return [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


def paste_cases(random: np.random.Generator, grid_count: int) -> list[dict]:
    """Grid, image size and box: trained-like shapes on boxes of all sizes, and boxes that are special."""
    cases = []
    for index in range(190):
        height, width = [(480, 640), (333, 500), (97, 131), (720, 405)][index % 4]
        noisy = index % 8 == 7
        sides = (0.5, 60) if noisy else (0.3 * width, 1.2 * width) if index % 5 == 0 else (0.5, width)
        box = random_box(random, height, width, sides)
        grid = 40 + int(random.integers(0, 10)) if noisy else int(random.integers(0, 40))
        if index % 3 == 0:  # clipped, as boxes are that come out of a model
            box = [min(max(box[0], 0), width), min(max(box[1], 0), height), min(box[2], width), min(box[3], height)]
        cases.append((grid, height, width, box))
    for n, box in enumerate(
        [
            [0, 0, 64, 48],  # the whole image
            [-300.5, -200.25, 400.75, 300.5],  # far larger than the image
            [0, 0, 1, 1],  # the first pixel
            [63, 47, 64, 48],  # the last pixel
            [10.4, 20.6, 11.2, 21.1],  # less than a pixel
            [10.5, 20.5, 10.5001, 20.5001],  # next to nothing
            [30, 5, 30.9, 45],  # a line down
            [5, 30, 60, 30.9],  # a line across
            [-20, 10, 5, 30],  # over the left edge
            [50, 10, 90, 30],  # over the right edge
            [10, -20, 30, 5],  # over the top
            [10, 40, 30, 90],  # over the bottom
            [-0.9, -0.9, 10.1, 10.1],  # truncated towards zero
            [-8.5, -8.5, -2.5, -2.5],  # outside, top left
            [66.5, 50.5, 69.5, 53.5],  # outside, bottom right
            [12, 12, 40, 40],  # as many pixels as cells
        ]
    ):
        for grid in (n, 40 + n % 10, grid_count - 2):
            cases.append((grid, 48, 64, box))
    for grid in range(grid_count - 3, grid_count):
        cases.append((grid, 60, 70, [3.3, 4.4, 50.5, 41.2]))
    return cases


def paste_goldens(random: np.random.Generator) -> None:
    all_grids = grids(random)
    cases = []
    for grid_index, height, width, box in paste_cases(random, len(all_grids)):
        grid = torch.from_numpy(all_grids[grid_index] / 65535).float()
        box = torch.tensor(box, dtype=torch.float32)
        cases.append(
            {
                "grid": grid_index,
                "height": height,
                "width": width,
                "box": box.tolist(),
                "torchvision": encode(torchvision_paste(grid, box, height, width).numpy()),
                "detectron2": encode(detectron2_paste(grid, box, height, width).numpy()),
            }
        )
    write("paste", {"grids": [base64_of(grid) for grid in all_grids], "cases": cases})


# --- masks as large as the network's input ----------------------------------------------------------------------------


def resize_mask_goldens(random: np.random.Generator) -> None:
    cases = []
    for (height, width), content, image in [
        ((64, 96), (60, 90), (120, 180)),
        ((64, 96), (60, 90), (43, 64)),
        ((32, 32), (32, 21), (97, 64)),
        ((32, 64), (30, 50), (30, 50)),
        ((48, 48), (48, 48), (48, 48)),
        ((16, 16), (1, 13), (3, 29)),
    ]:
        for values in (soft_blob(random, max(height, width))[:height, :width], random.random((height, width)) ** 3):
            coded = np.round(values * 65535).astype(np.uint16)
            mask = torch.from_numpy(coded / 65535).float()[None, None, : content[0], : content[1]]
            resized = F.interpolate(mask, size=image, mode="bilinear", align_corners=False)[0, 0]
            cases.append(
                {
                    "mask": [height, width],
                    "content": content,
                    "image": image,
                    "values": base64_of(coded),
                    **encode((resized > 0.5).numpy()),
                }
            )
    write("resize-mask", cases)


# --- sizes and boxes --------------------------------------------------------------------------------------------------


def mmcv_rescale_size(height: int, width: int, short: int, long: int) -> list[int]:
    """mmcv/image/geometric.py, `rescale_size` with a tuple."""
    factor = min(long / max(height, width), short / min(height, width))
    return [int(height * float(factor) + 0.5), int(width * float(factor) + 0.5)]


def size_goldens(random: np.random.Generator) -> None:
    images = [(480, 640), (427, 640), (640, 427), (333, 500), (600, 1000), (375, 1242), (1080, 1920), (1, 1), (1, 3000)]
    images += [tuple(int(n) for n in random.integers(1, 4000, 2)) for _ in range(400)]
    cases = []
    for height, width in images:
        size, longest = [(800, 1333), (320, 640), (256, 256), (720, 1280)][len(cases) % 4]
        if min(height, width) * longest / max(height, width) < 1:
            torchvision = None  # interpolate refuses an empty image
        else:
            resized, _ = _resize_image_and_masks(torch.empty(3, height, width, device="meta"), size, longest)
            torchvision = list(resized.shape[-2:])
        mmcv = mmcv_rescale_size(height, width, size, longest)
        cases.append({"image": [height, width], "size": size, "max": longest, "floor": torchvision, "round": mmcv})
    write("network-size", cases)


def box_goldens(random: np.random.Generator) -> None:
    cases = []
    for network, original in [((800, 1066), (480, 640)), ((749, 1333), (2160, 3840)), ((333, 500), (333, 500))]:
        corners = random.uniform(0, 1, (12, 2, 2)).astype(np.float32)
        boxes = torch.from_numpy(np.sort(corners, axis=1).reshape(-1, 4)) * torch.tensor([network[1], network[0]] * 2)
        scaled = resize_boxes(boxes, list(network), list(original))
        cases.append({"from": network, "to": original, "boxes": boxes.flatten().tolist(), "scaled": scaled.flatten().tolist()})
    write("boxes", cases)


# --- resampling -------------------------------------------------------------------------------------------------------


def noise_image(height: int, width: int) -> np.ndarray:
    """[H, W, 3] uint8 from each value's index alone, so that a test can make it again."""
    index = np.arange(height * width * 3, dtype=np.uint64)
    return ((index * 2654435761 % 2**32) >> 24).astype(np.uint8).reshape(height, width, 3)


def smooth_image(height: int, width: int) -> np.ndarray:
    ys, xs = np.mgrid[:height, :width]
    channels = [127.5 + 127.5 * np.sin(xs / (7 + 3 * c) + ys / (11 - 2 * c) + c) for c in range(3)]
    return np.round(np.stack(channels, axis=2)).astype(np.uint8)


def interpolate(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """[h, w, 3] float32 on 0..1: torchvision's detectors resize what `to_tensor` gives them so."""
    tensor = torch.from_numpy(image).permute(2, 0, 1).contiguous().float() / 255
    resized = F.interpolate(tensor[None], size=size, mode="bilinear", align_corners=False)[0]
    return resized.permute(1, 2, 0).contiguous().numpy()


def resample_goldens(random: np.random.Generator) -> None:
    small = []
    for source, size in [
        ((13, 17), (31, 44)),
        ((48, 64), (23, 17)),
        ((37, 29), (37, 61)),
        ((37, 29), (19, 29)),
        ((1, 9), (5, 20)),
        ((9, 1), (20, 5)),
        ((1, 1), (4, 3)),
        ((20, 30), (1, 1)),
        ((21, 33), (21, 33)),
        ((5, 7), (53, 71)),
    ]:
        image = smooth_image(*source) if len(small) % 2 else noise_image(*source)
        expected = interpolate(image, size)
        small.append({"source": source, "size": size, "pixels": base64_of(image), "expected": base64_of(expected)})

    large = []
    rounding = []
    for source, size in [((480, 640), (800, 1066)), ((640, 427), (1199, 800)), ((1080, 1920), (749, 1333))]:
        expected = interpolate(noise_image(*source), size)
        at = random.integers(0, expected.size, 1500)
        large.append(
            {"source": source, "size": size, "at": at.tolist(), "expected": base64_of(expected.reshape(-1)[at])}
        )
        for name, image in (("noise", noise_image(*source)), ("smooth", smooth_image(*source))):
            exact = interpolate(image, size).astype(np.float64)
            rounding.append((name, source, size, np.abs(np.round(exact * 255) / 255 - exact)))
    write("resample", {"small": small, "large": large})
    for name, source, size, difference in rounding:
        print(f"rounding {name} {source} -> {size}: max {difference.max():.6f}, mean {difference.mean():.6f} on 0..1")


def main() -> None:
    torch.set_num_threads(1)
    DATA.mkdir(parents=True, exist_ok=True)
    rle_goldens(np.random.default_rng(1))
    paste_goldens(np.random.default_rng(2))
    resize_mask_goldens(np.random.default_rng(3))
    size_goldens(np.random.default_rng(4))
    box_goldens(np.random.default_rng(5))
    resample_goldens(np.random.default_rng(6))


if __name__ == "__main__":
    main()
