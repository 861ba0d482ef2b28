"""What is read from a model, and models of other shapes than the stock ones."""

from collections import OrderedDict

import pytest
import tiny_model
import torch
from torch import nn
from torchvision.models.detection import FasterRCNN, keypointrcnn_resnet50_fpn, retinanet_resnet50_fpn
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.rpn import AnchorGenerator
from torchvision.ops import MultiScaleRoIAlign

from millrace_export.anatomy import PooledLevel, examine
from millrace_export.architectures import enliven
from millrace_export.batched_rcnn import BatchedRCNN
from millrace_export.errors import ExportError
from millrace_export.graph import write_onnx
from millrace_export.verify import OnnxModel, compare


def test_levels_and_strides_are_read_from_the_running_model(mask_rcnn):
    anatomy = examine(mask_rcnn)
    assert anatomy.num_classes == 2
    assert anatomy.has_masks
    assert anatomy.rpn_levels == ("1", "2", "3")  # CoarseRegionProposalNetwork skips "0"
    assert anatomy.box_levels == tuple(PooledLevel(str(i), 0.25 / 2**i) for i in range(4))
    assert anatomy.mask_levels == anatomy.box_levels


def test_a_model_without_masks(faster_rcnn):
    anatomy = examine(faster_rcnn)
    assert not anatomy.has_masks
    assert anatomy.mask_levels == ()


def test_examining_changes_nothing(mask_rcnn):
    before = {name: value.clone() for name, value in mask_rcnn.state_dict().items()}
    mask_rcnn.train()
    examine(mask_rcnn)
    assert mask_rcnn.training
    mask_rcnn.eval()
    assert all(torch.equal(value, before[name]) for name, value in mask_rcnn.state_dict().items())
    assert not mask_rcnn.rpn.head._forward_pre_hooks


@pytest.mark.parametrize(
    "build, reason",
    [
        (lambda: nn.Linear(1, 1), "Linear is not a torchvision Faster R-CNN or Mask R-CNN"),
        (lambda: retinanet_resnet50_fpn(weights=None, weights_backbone=None), "RetinaNet is not"),
        (lambda: keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None), "keypoint models are not supported"),
    ],
)
def test_other_models_are_refused(build, reason):
    with pytest.raises(ExportError, match=reason):
        examine(build())


def test_class_agnostic_boxes_are_refused():
    model = tiny_model.build_faster_rcnn()
    model.roi_heads.box_predictor.bbox_pred = nn.Linear(tiny_model.BOX_HEAD_FEATURES, 4)
    with pytest.raises(ExportError, match="gives 4 numbers a RoI for 2 classes"):
        examine(model)


class OneLevelBackbone(nn.Sequential):
    """A single feature map, handed over as a bare tensor: no pyramid at all."""

    out_channels = 16

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(3, 16, 3, 4, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3, 2, 1))


class ThreeLevelBackbone(nn.Module):
    """Levels of unusual names, one of which the RoI heads leave out."""

    out_channels = 16

    def __init__(self) -> None:
        super().__init__()
        self.first = OneLevelBackbone()
        self.norm = nn.BatchNorm2d(16)

    def forward(self, x):
        fine = self.norm(self.first(x))
        middle = nn.functional.max_pool2d(fine, 2)
        return OrderedDict(fine=fine, middle=middle, coarse=nn.functional.max_pool2d(middle, 2))


def small_faster_rcnn(backbone: nn.Module, levels: list[str], anchors: AnchorGenerator, **pooling) -> FasterRCNN:
    torch.manual_seed(0)
    model = FasterRCNN(
        backbone,
        min_size=128,
        max_size=192,
        rpn_anchor_generator=anchors,
        rpn_pre_nms_top_n_test=150,
        rpn_post_nms_top_n_test=80,
        box_roi_pool=MultiScaleRoIAlign(levels, output_size=5, sampling_ratio=-1, **pooling),
        box_head=TwoMLPHead(16 * 5 * 5, 32),
        box_predictor=FastRCNNPredictor(32, 5),
    ).eval()
    enliven(model, seed=0)
    return model


@pytest.mark.parametrize("kind", ["one level", "three levels"])
def test_other_pyramids_equal_torchvision(kind, scene_batch, tmp_path):
    if kind == "one level":
        anchors = AnchorGenerator(((16, 32, 64),), ((0.5, 1.0, 2.0),))
        model = small_faster_rcnn(OneLevelBackbone(), ["0"], anchors)
    else:
        anchors = AnchorGenerator(((16,), (32,), (64,)), ((0.5, 1.0, 2.0),) * 3)
        model = small_faster_rcnn(ThreeLevelBackbone(), ["fine", "middle"], anchors, canonical_scale=64)
        assert examine(model).box_levels == (PooledLevel("fine", 1 / 8), PooledLevel("middle", 1 / 16))
    write_onnx(BatchedRCNN(model), tmp_path / "model.onnx")
    difference = compare(model, OnnxModel(tmp_path / "model.onnx"), scene_batch(3, 160, 192))
    assert difference.detections > 10
    assert difference.unmatched == 0
    assert difference.box_px <= 0.01
    assert difference.score <= 1e-4
