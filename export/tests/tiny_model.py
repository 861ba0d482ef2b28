"""A trained Mask R-CNN small enough to commit: the demo model's design at 0.26 million parameters and 144 px."""

from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN, MaskRCNN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign

from millrace_export.demos.id_cards.network import CoarseRegionProposalNetwork, ResidualBlock, conv_norm

CHECKPOINT = Path(__file__).parent / "data" / "tiny-id-cards.pth"
NUM_CLASSES = 2  # background, id_card
MIN_SIZE_PX = 144
MAX_SIZE_PX = 216
STEM_CHANNELS = 8
STAGE_CHANNELS = (16, 32, 48, 48)
PYRAMID_CHANNELS = 24
BOX_HEAD_FEATURES = 64


class TinyBackbone(nn.Module):
    """[N, 3, H, W] -> levels "0" to "3", [N, 24, H/s, W/s] with strides s = 4, 8, 16, 32."""

    out_channels = PYRAMID_CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(*conv_norm(3, STEM_CHANNELS, stride=2), nn.ReLU(inplace=True))
        self.stages = nn.ModuleList()
        in_channels = STEM_CHANNELS
        for channels in STAGE_CHANNELS:
            downsample = [*conv_norm(in_channels, channels, stride=2), nn.ReLU(inplace=True)]
            self.stages.append(nn.Sequential(*downsample, ResidualBlock(channels)))
            in_channels = channels
        self.fpn = FeaturePyramidNetwork(list(STAGE_CHANNELS), PYRAMID_CHANNELS, norm_layer=nn.BatchNorm2d)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.stem(x)
        levels: OrderedDict[str, Tensor] = OrderedDict()
        for index, stage in enumerate(self.stages):
            x = stage(x)
            levels[str(index)] = x
        return self.fpn(levels)


def _shared_parts() -> dict:
    levels = ["0", "1", "2", "3"]
    return {
        "min_size": MIN_SIZE_PX,
        "max_size": MAX_SIZE_PX,
        "image_mean": [0.45] * 3,
        "image_std": [0.25] * 3,
        "rpn_anchor_generator": AnchorGenerator(((16, 24), (36, 54), (80, 120)), ((0.5, 1.0, 2.0),) * 3),
        "rpn_pre_nms_top_n_train": 300,
        "rpn_pre_nms_top_n_test": 200,
        "rpn_post_nms_top_n_train": 150,
        "rpn_post_nms_top_n_test": 60,
        "rpn_batch_size_per_image": 128,
        "box_roi_pool": MultiScaleRoIAlign(levels, output_size=7, sampling_ratio=2),
        "box_head": TwoMLPHead(PYRAMID_CHANNELS * 7 * 7, BOX_HEAD_FEATURES),
        "box_predictor": FastRCNNPredictor(BOX_HEAD_FEATURES, NUM_CLASSES),
        "box_batch_size_per_image": 48,
        "box_positive_fraction": 0.4,
        "box_detections_per_img": 20,
    }


def build_mask_rcnn() -> MaskRCNN:
    model = MaskRCNN(
        TinyBackbone(),
        mask_roi_pool=MultiScaleRoIAlign(["0", "1", "2", "3"], output_size=14, sampling_ratio=2),
        mask_head=MaskRCNNHeads(PYRAMID_CHANNELS, (24, 24), dilation=1),
        mask_predictor=MaskRCNNPredictor(24, 24, NUM_CLASSES),
        **_shared_parts(),
    )
    model.rpn.__class__ = CoarseRegionProposalNetwork
    return model


def build_faster_rcnn() -> FasterRCNN:
    """The same network without its mask branch."""
    model = FasterRCNN(TinyBackbone(), **_shared_parts())
    model.rpn.__class__ = CoarseRegionProposalNetwork
    return model


def trained_mask_rcnn() -> MaskRCNN:
    model = build_mask_rcnn()
    model.load_state_dict(torch.load(CHECKPOINT))
    return model.eval()


def trained_faster_rcnn() -> FasterRCNN:
    model = build_faster_rcnn()
    weights = torch.load(CHECKPOINT)
    model.load_state_dict({name: value for name, value in weights.items() if not name.startswith("roi_heads.mask_")})
    return model.eval()
