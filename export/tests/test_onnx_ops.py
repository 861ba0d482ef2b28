"""Operators whose results can be read off."""

import torch

from millrace_export.batched_rcnn import _suppress
from millrace_export.onnx_ops import non_max_suppression, top_k_at_most

UNIT = [0.0, 0.0, 10.0, 10.0]
NEAR = [0.0, 0.0, 10.0, 9.0]  # IoU with UNIT 0.9
FAR = [50.0, 50.0, 60.0, 60.0]


def test_suppression_is_by_image_and_leaves_out_low_scores():
    boxes = torch.tensor([[UNIT, NEAR, FAR], [UNIT, FAR, NEAR]])
    scores = torch.tensor([[0.9, 0.8, 0.7], [0.3, 0.2, 0.4]])
    keep = non_max_suppression(boxes, scores, iou_threshold=0.5, score_threshold=0.25)
    assert keep.tolist() == [[True, False, True], [False, False, True]]


def test_suppression_of_nothing():
    keep = non_max_suppression(torch.zeros(2, 3, 4), torch.full((2, 3), -1.0), 0.5, -0.5)
    assert not keep.any()


def test_groups_do_not_suppress_each_other():
    boxes = torch.tensor([[UNIT, NEAR, NEAR]])
    scores = _suppress(boxes, torch.tensor([[0.9, 0.8, 0.7]]), torch.tensor([[1.0, 2.0, 2.0]]), 0.5)
    assert scores.tolist() == [[torch.tensor(0.9).item(), torch.tensor(0.8).item(), -1.0]]


def test_a_neighbour_of_large_coordinates_does_not_move_an_overlap():
    """IoU 0.5003: suppressed. Shifted by a neighbour's 1e6, 19.99 would round to 20 and the IoU to 0.5: kept."""
    near_threshold = [UNIT, [0.0, 0.0, 10.0, 19.99]]
    scores = torch.tensor([[0.9, 0.8]])
    group = torch.ones(1, 2)
    alone = _suppress(torch.tensor([near_threshold]), scores, group, 0.5)
    together = _suppress(
        torch.tensor([near_threshold, [UNIT, [0.0, 0.0, 1e6, 1e6]]]), scores.repeat(2, 1), group.repeat(2, 1), 0.5
    )
    assert alone[0, 1] == -1.0
    assert torch.equal(together[0], alone[0])


def test_rejected_boxes_do_not_set_the_shift():
    boxes = torch.tensor([[UNIT, [0.0, 0.0, 10.0, 19.99], [0.0, 0.0, 1e6, 1e6]]])
    scores = _suppress(boxes, torch.tensor([[0.9, 0.8, -1.0]]), torch.ones(1, 3), 0.5)
    assert scores[0, 1] == -1.0


def test_top_k_of_fewer():
    values, indices = top_k_at_most(torch.tensor([[1.0, 3.0, 2.0]]), 5)
    assert values.tolist() == [[3.0, 2.0, 1.0]]
    assert indices.tolist() == [[1, 2, 0]]
    assert top_k_at_most(torch.tensor([[1.0, 3.0, 2.0]]), 2)[1].tolist() == [[1, 2]]
