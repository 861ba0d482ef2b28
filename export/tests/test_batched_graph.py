"""The exported graph in ONNX Runtime gives torchvision's detections on the same padded batch."""

import pytest
import torch

from millrace_export.architectures import build, enliven
from millrace_export.batched_rcnn import BatchedRCNN
from millrace_export.graph import write_onnx
from millrace_export.pictures import Batch, made_up_pictures, pad_batch, resize_as
from millrace_export.reference import torchvision_on_batch
from millrace_export.verify import OnnxModel, compare, compare_detections

BOX_PX = 0.01
SCORE = 1e-4
MASK = 1e-4


def assert_same(model, graph, batch) -> int:
    """Equal sets of detections, image by image; returns how many were compared."""
    difference = compare(model, graph, batch)
    assert difference.unmatched == 0
    assert difference.box_px <= BOX_PX
    assert difference.score <= SCORE
    assert difference.mask <= MASK
    return difference.detections


@pytest.mark.parametrize("height, width", [(160, 192), (224, 160)])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_mask_rcnn_equals_torchvision(mask_rcnn, mask_graph, scene_batch, count, height, width):
    assert assert_same(mask_rcnn, mask_graph, scene_batch(count, height, width)) >= count


@pytest.mark.parametrize("count", [1, 3, 8])
def test_faster_rcnn_equals_torchvision(faster_rcnn, faster_graph, scene_batch, count):
    assert assert_same(faster_rcnn, faster_graph, scene_batch(count, 160, 192)) >= count
    assert "masks" not in faster_graph.outputs(scene_batch(1, 160, 192))


def test_the_module_equals_torchvision_bit_for_bit_in_pytorch(mask_rcnn, scene_batch):
    batch = scene_batch(3, 160, 192)
    with torch.inference_mode():
        counts, *rows = BatchedRCNN(mask_rcnn)(batch.images, batch.image_sizes)
    for index, expected in enumerate(torchvision_on_batch(mask_rcnn, batch.images, batch.image_sizes)):
        boxes, labels, scores, masks = (value[index, : counts[index]] for value in rows)
        assert torch.equal(boxes, expected["boxes"])
        assert torch.equal(labels, expected["labels"])
        assert torch.equal(scores, expected["scores"])
        assert torch.allclose(masks, expected["masks"], atol=1e-6)  # convolutions of another number of RoIs


def test_an_image_without_detections_among_others(mask_rcnn, mask_graph, scene_batch, blank):
    scenes, nothing = scene_batch(2, 160, 192), blank(1, 160, 192)
    batch = Batch(
        torch.cat([scenes.images[:1], nothing.images, scenes.images[1:]]),
        torch.cat([scenes.image_sizes[:1], nothing.image_sizes, scenes.image_sizes[1:]]),
    )
    counts = mask_graph.outputs(batch)["num_detections"].tolist()
    assert counts[1] == 0 and counts[0] > 0 and counts[2] > 0
    assert_same(mask_rcnn, mask_graph, batch)


@pytest.mark.parametrize("count", [1, 3])
def test_a_whole_batch_without_detections(mask_graph, blank, count):
    outputs = mask_graph.outputs(blank(count, 160, 192))
    assert outputs["num_detections"].tolist() == [0] * count
    assert outputs["masks"].shape == (count, 20, 28, 28)
    assert not any(value.any() for value in outputs.values())


def test_a_whole_batch_without_proposals(mask_rcnn, blank, tmp_path, monkeypatch):
    monkeypatch.setattr(mask_rcnn.rpn, "score_thresh", 1.1)
    write_onnx(BatchedRCNN(mask_rcnn), tmp_path / "model.onnx")
    outputs = OnnxModel(tmp_path / "model.onnx").outputs(blank(2, 160, 192))
    assert outputs["num_detections"].tolist() == [0, 0]


def test_an_image_does_not_depend_on_its_neighbours(mask_graph, scene_batch):
    together = scene_batch(8, 160, 192)
    for index, found in enumerate(mask_graph.detections(together)):
        alone = Batch(together.images[index : index + 1], together.image_sizes[index : index + 1])
        difference = compare_detections(mask_graph.detections(alone)[0], found)
        assert difference.unmatched == 0
        assert max(difference.box_px, difference.score, difference.mask) <= 1e-4


def test_what_lies_outside_the_true_size_is_masked(mask_graph, scene_batch):
    batch = scene_batch(3, 160, 192)
    other = batch.images.clone()
    for index, (height, width) in enumerate(batch.image_sizes.tolist()):
        other[index, height:] = 17
        other[index, :, width:] = 17
    expected, found = mask_graph.outputs(batch), mask_graph.outputs(Batch(other, batch.image_sizes))
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_rows_are_sorted_padded_with_zeros_and_inside_the_image(mask_graph, scene_batch):
    batch = scene_batch(3, 160, 192)
    outputs = mask_graph.outputs(batch)
    dtypes = {name: value.dtype for name, value in outputs.items()}
    assert dtypes["num_detections"] == dtypes["labels"] == torch.int64
    assert dtypes["boxes"] == dtypes["scores"] == dtypes["masks"] == torch.float32
    for index, count in enumerate(outputs["num_detections"].tolist()):
        scores = outputs["scores"][index]
        assert (scores[:-1] >= scores[1:]).all()
        assert (scores[:count] > 0.05).all()
        assert not any(outputs[name][index, count:].any() for name in ("boxes", "labels", "scores", "masks"))
        height, width = batch.image_sizes[index].tolist()
        x1, y1, x2, y2 = outputs["boxes"][index, :count].unbind(dim=1)
        assert (x1 >= 0).all() and (y1 >= 0).all() and (x2 <= width).all() and (y2 <= height).all()


def test_float32_pixels_are_the_same_as_uint8(mask_rcnn, mask_graph, scene_batch, tmp_path):
    write_onnx(BatchedRCNN(mask_rcnn), tmp_path / "model.onnx", "float32")
    batch = scene_batch(3, 160, 192)
    expected, found = mask_graph.outputs(batch), OnnxModel(tmp_path / "model.onnx", "float32").outputs(batch)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_stock_architecture_of_91_classes(tmp_path):
    """RPN levels of equal stride, a pool level only the RPN reads, an RPN score threshold, many classes."""
    torch.manual_seed(0)
    model = build("fasterrcnn_mobilenet_v3_large_320_fpn", 91)
    enliven(model, seed=0)
    write_onnx(BatchedRCNN(model), tmp_path / "model.onnx")
    pictures = [resize_as(model, picture) for picture in made_up_pictures(model, seed=1)]
    batch = pad_batch(pictures, model.transform.size_divisible)
    expected = torchvision_on_batch(model, batch.images, batch.image_sizes)
    assert len(torch.cat([detections["labels"] for detections in expected]).unique()) > 5
    assert assert_same(model, OnnxModel(tmp_path / "model.onnx"), batch) > 30
