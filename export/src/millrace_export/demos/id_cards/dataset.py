"""Generated scenes on disk: one flat file of pixels and one of instance maps, memory-mapped by every process."""

import json
from collections.abc import Iterable, Iterator
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from .scenes import scene


def write_scene_store(folder: Path, seeds: Iterable[int], processes: int = 2) -> None:
    """Generate the scenes of `seeds` into `folder`; does nothing where they already are."""
    seeds = list(seeds)
    index = folder / "index.json"
    if index.exists() and json.loads(index.read_text())["seeds"] == [seeds[0], len(seeds)]:
        return
    folder.mkdir(parents=True, exist_ok=True)
    sizes = []
    with Pool(processes) as pool, open(folder / "pixels.u8", "wb") as pixels, open(folder / "instances.u8", "wb") as maps:
        for image, instance_map in pool.imap(scene, seeds, chunksize=16):
            sizes.append(instance_map.shape)
            pixels.write(image.tobytes())
            maps.write(instance_map.tobytes())
    index.write_text(json.dumps({"seeds": [seeds[0], len(seeds)], "sizes": sizes}))


class SceneStore:
    """Random access to a written store: store[i] is (image [H, W, 3] uint8 RGB, instance map [H, W] uint8)."""

    def __init__(self, folder: Path) -> None:
        self.sizes = [tuple(size) for size in json.loads((folder / "index.json").read_text())["sizes"]]
        self._offsets = np.cumsum([0] + [height * width for height, width in self.sizes])
        self._pixels = np.memmap(folder / "pixels.u8", np.uint8, "r")
        self._maps = np.memmap(folder / "instances.u8", np.uint8, "r")

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        start, end = self._offsets[i], self._offsets[i + 1]
        height, width = self.sizes[i]
        return (self._pixels[3 * start:3 * end].reshape(height, width, 3),
                self._maps[start:end].reshape(height, width))

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return (self[i] for i in range(len(self)))
