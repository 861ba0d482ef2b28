"""Shared by all tests: the trained tiny model, its exports, and scenes packed into batches."""

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import tiny_model
import torch
from torchvision.models.detection import FasterRCNN, MaskRCNN

from millrace_export.batched_rcnn import BatchedRCNN
from millrace_export.demos.id_cards.scenes import scene
from millrace_export.graph import write_onnx
from millrace_export.pictures import Batch
from millrace_export.verify import OnnxModel

torch.set_num_threads(2)


@pytest.fixture(scope="session")
def mask_rcnn() -> MaskRCNN:
    return tiny_model.trained_mask_rcnn()


@pytest.fixture(scope="session")
def faster_rcnn() -> FasterRCNN:
    return tiny_model.trained_faster_rcnn()


@pytest.fixture(scope="session")
def mask_graph(mask_rcnn: MaskRCNN, tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return _graph(mask_rcnn, tmp_path_factory)


@pytest.fixture(scope="session")
def faster_graph(faster_rcnn: FasterRCNN, tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return _graph(faster_rcnn, tmp_path_factory)


def _graph(model: FasterRCNN, tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    write_onnx(BatchedRCNN(model), path)
    return OnnxModel(path)


@pytest.fixture(scope="session")
def scene_batch() -> Callable[..., Batch]:
    return make_scene_batch


def make_scene_batch(count: int, height: int, width: int, first_seed: int = 5_000_000) -> Batch:
    """Scenes of `count` different true sizes on one canvas [height, width]; what lies outside them is not black."""
    images = torch.full((count, height, width, 3), 200, dtype=torch.uint8)
    sizes = []
    for index in range(count):
        image, _ = scene(first_seed + index)
        true_height, true_width = height - 5 * (index % 4), width - 7 * (index % 3)
        resized = cv2.resize(image, (true_width, true_height), interpolation=cv2.INTER_AREA)
        images[index, :true_height, :true_width] = torch.from_numpy(resized)
        sizes.append((true_height, true_width))
    return Batch(images, torch.tensor(sizes))


@pytest.fixture(scope="session")
def blank() -> Callable[[int, int, int], Batch]:
    """Gray images, in which the tiny model finds nothing."""

    def make(count: int, height: int, width: int) -> Batch:
        images = torch.full((count, height, width, 3), 115, dtype=torch.uint8)
        return Batch(images, torch.tensor([(height, width)] * count))

    return make


@pytest.fixture
def tiny_checkpoint() -> Path:
    return tiny_model.CHECKPOINT
