"""Comparing detections, and padding pictures into batches."""

import pytest
import torch
from PIL import Image
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from millrace_export.package import resize_policy
from millrace_export.pictures import pad_batch, read_pictures
from millrace_export.verify import Difference, compare_detections


def detections(*rows: tuple[list[float], int, float]) -> dict[str, torch.Tensor]:
    boxes, labels, scores = zip(*rows) if rows else ((), (), ())
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "scores": torch.tensor(scores, dtype=torch.float32),
    }


A, B = [0.0, 0.0, 100.0, 100.0], [200.0, 200.0, 300.0, 300.0]


def test_order_does_not_matter_and_differences_are_measured():
    difference = compare_detections(
        detections((A, 1, 0.9), (B, 2, 0.8)),
        detections(([200.0, 200.0, 300.0, 300.25], 2, 0.75), (A, 1, 0.9)),
    )
    assert difference.detections == 2
    assert difference.unmatched == 0
    assert difference.box_px == 0.25
    assert difference.score == pytest.approx(0.05)
    assert not difference.is_acceptable()


@pytest.mark.parametrize(
    "found, unmatched",
    [
        (detections(), 1),
        (detections((A, 2, 0.9)), 2),  # another label
        (detections(([0.0, 0.0, 100.0, 90.0], 1, 0.9)), 2),  # IoU 0.9
        (detections((A, 1, 0.9), (A, 1, 0.8)), 1),  # twice
    ],
)
def test_what_does_not_match(found, unmatched):
    difference = compare_detections(detections((A, 1, 0.9)), found)
    assert difference.unmatched == unmatched
    assert not difference.is_acceptable()


def test_nothing_equals_nothing():
    assert compare_detections(detections(), detections()) == Difference()
    assert Difference().is_acceptable()


def test_padding_rounds_up_to_the_divisor():
    first, second = torch.full((3, 33, 20), 7, dtype=torch.uint8), torch.full((3, 10, 40), 9, dtype=torch.uint8)
    batch = pad_batch([first, second], 32)
    assert batch.images.shape == (2, 64, 64, 3)
    assert batch.image_sizes.tolist() == [[33, 20], [10, 40]]
    assert (batch.images[0, :33, :20] == 7).all()
    assert batch.images[0].sum() == 7 * 33 * 20 * 3


def test_pictures_are_read_as_rgb(tmp_path):
    Image.new("L", (5, 4), 100).save(tmp_path / "gray.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (picture,) = read_pictures(tmp_path)
    assert picture.shape == (3, 4, 5)
    assert (picture == 100).all()


def test_resize_policies():
    mean_and_std = ([0.5] * 3, [0.5] * 3)
    assert resize_policy(GeneralizedRCNNTransform((640, 800), 1333, *mean_and_std)) == {
        "policy": "shortest-edge",
        "size": 800,
        "max": 1333,
        "rounding": "floor",
        "filter": "torch-bilinear",
    }
    assert resize_policy(GeneralizedRCNNTransform(1, 1, *mean_and_std, fixed_size=(640, 480))) == {
        "policy": "fixed",
        "height": 480,
        "width": 640,
        "filter": "torch-bilinear",
    }
