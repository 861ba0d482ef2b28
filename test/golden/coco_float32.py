"""Writes data/coco-float32.json: float32 values with the shortest decimals that NumPy finds for them.

    python test/golden/coco_float32.py

Values are those of boxes (pixels, 0 to 20,000), of scores (0 to 1), and the neighbours of round ones.
NumPy 2.4; `str` of a float32 is the shortest decimal that is no other float32 (Dragon4, unique mode).
"""

import json
from pathlib import Path

import numpy as np


def values() -> np.ndarray:
    rng = np.random.default_rng(20240601)
    boxes = rng.uniform(0, 20_000, 600).astype(np.float32)
    small_boxes = rng.uniform(0, 64, 200).astype(np.float32)
    scores = rng.uniform(0, 1, 600).astype(np.float32)
    tiny = (rng.uniform(0, 1, 100) * 10.0 ** rng.uniform(-12, -3, 100)).astype(np.float32)
    round_ones = np.float32([0, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.7, 1, 8, 16, 319.5, 333.3, 1024, 16_777_216])
    above = np.nextafter(round_ones, np.float32(np.inf), dtype=np.float32)
    below = np.nextafter(round_ones, np.float32(-np.inf), dtype=np.float32)
    return np.concatenate([round_ones, above, below, boxes, small_boxes, scores, tiny, -boxes[:50]])


if __name__ == "__main__":
    cases = [{"bits": int(value.view(np.uint32)), "shortest": str(value)} for value in values()]
    lines = ",\n".join(json.dumps(case) for case in cases)
    (Path(__file__).parent / "data" / "coco-float32.json").write_text(f"[\n{lines}\n]\n")
