"""The packages that the TypeScript tests read still say what PyTorch says."""

import json
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from make_fixtures import detect, reference, traced_resize_is_right
from tiny_model import MIN_SIZE_PX

from millrace_export.package import file_sha256

FIXTURES = Path(__file__).parents[2] / "test" / "fixtures"
PACKAGES = ["tiny-mask-rcnn", "tiny-faster-rcnn", "tiny-torchvision"]


def read_scene(name: str) -> np.ndarray:
    return np.ascontiguousarray(cv2.imread(str(FIXTURES / "scenes" / name))[:, :, ::-1])


def read_reference(package: str) -> list[dict]:
    return json.loads((FIXTURES / "models" / package / "reference.json").read_text())["images"]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_digest_is_that_of_the_file(package):
    folder = FIXTURES / "models" / package
    assert json.loads((folder / "model.json").read_text())["sha256"] == file_sha256(folder / "model.onnx")


@pytest.mark.parametrize("package", PACKAGES)
def test_references_are_what_pytorch_finds(package, mask_rcnn, faster_rcnn):
    model = faster_rcnn if package == "tiny-faster-rcnn" else mask_rcnn
    written = read_reference(package)
    assert [len(image["detections"]) > 1 for image in written] == [True, True, True, True, False]
    scenes = {Path(image["file"]).stem: read_scene(image["file"]) for image in written}
    for expected, found in zip(reference(model, scenes)["images"], written, strict=True):
        assert (expected["height"], expected["width"]) == (found["height"], found["width"])
        for one, other in zip(expected["detections"], found["detections"], strict=True):
            assert other["box"] == pytest.approx(one["box"], abs=1e-2)
            assert other["score"] == pytest.approx(one["score"], abs=1e-4)
            assert ("rle" in other) == (package != "tiny-faster-rcnn")


def test_torchvisions_own_graph_gives_the_reference():
    session = onnxruntime.InferenceSession(str(FIXTURES / "models" / "tiny-torchvision" / "model.onnx"))
    for image in read_reference("tiny-torchvision"):
        pixels = read_scene(image["file"]).transpose(2, 0, 1)[None].astype(np.float32) / 255
        boxes, _, scores, masks = session.run(["boxes", "labels", "scores", "masks"], {"input": pixels})
        assert boxes == pytest.approx(np.array([d["box"] for d in image["detections"]]).reshape(-1, 4), abs=1e-2)
        assert scores == pytest.approx(np.array([d["score"] for d in image["detections"]]), abs=1e-4)
        assert masks.shape == (len(scores), 1, image["height"], image["width"])


@pytest.mark.parametrize("height, width", [(180, 240), (242, 304)])
def test_torchvisions_own_graph_differs_where_it_drops_a_pixel(mask_rcnn, height, width):
    """Old torchvision (0.14) drops that pixel in PyTorch too, so that there the graph agrees."""
    image = cv2.resize(read_scene("cards-1.png"), (width, height))
    pixels = image.transpose(2, 0, 1).astype(np.float32) / 255
    resized, _ = mask_rcnn.transform([torch.from_numpy(pixels)])
    pytorch_is_exact = min(resized.image_sizes[0]) == MIN_SIZE_PX
    session = onnxruntime.InferenceSession(str(FIXTURES / "models" / "tiny-torchvision" / "model.onnx"))
    found = torch.from_numpy(session.run(["boxes"], {"input": pixels[None]})[0])
    shift_px = torch.cdist(detect(mask_rcnn, image)["boxes"], found).min(dim=1)[0].max().item()
    if traced_resize_is_right(height, width) or not pytorch_is_exact:
        assert shift_px < 0.01
    else:
        assert shift_px > 0.1


def test_which_sizes_drop_a_pixel():
    assert traced_resize_is_right(180, 240)
    assert not traced_resize_is_right(242, 304)
