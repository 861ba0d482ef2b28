"""The demo model: a slim Mask R-CNN, 2.7 million parameters, built only from torchvision's own parts.

A residual backbone with strides 4 to 32 and a 64-channel feature pyramid replaces ResNet-50; the region proposal
network looks at strides 8 to 32, the RoI heads at all four levels. Trained from scratch, so batch normalisation
everywhere and no ImageNet statistics.
"""

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import AnchorGenerator, RegionProposalNetwork
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign

NUM_CLASSES = 2  # background, id_card
MIN_SIZE_PX = 320
MAX_SIZE_PX = 480
PYRAMID_CHANNELS = 64
STAGE_CHANNELS = (32, 64, 128, 160)
STAGE_BLOCKS = (1, 2, 2, 1)


def conv_norm(in_channels: int, out_channels: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False), nn.BatchNorm2d(out_channels)]


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and an identity shortcut: [N, C, H, W] -> [N, C, H, W]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            *conv_norm(channels, channels), nn.ReLU(inplace=True), *conv_norm(channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.residual(x))


class Backbone(nn.Module):
    """[N, 3, H, W] -> levels "0" to "3", [N, 64, H/s, W/s] with strides s = 4, 8, 16, 32."""

    out_channels = PYRAMID_CHANNELS

    def __init__(self, stem_channels: int = 16) -> None:
        super().__init__()
        self.stem = nn.Sequential(*conv_norm(3, stem_channels, stride=2), nn.ReLU(inplace=True))
        self.stages = nn.ModuleList()
        in_channels = stem_channels
        for channels, blocks in zip(STAGE_CHANNELS, STAGE_BLOCKS):
            downsample = [*conv_norm(in_channels, channels, stride=2), nn.ReLU(inplace=True)]
            self.stages.append(nn.Sequential(*downsample, *(ResidualBlock(channels) for _ in range(blocks))))
            in_channels = channels
        self.fpn = FeaturePyramidNetwork(list(STAGE_CHANNELS), PYRAMID_CHANNELS, norm_layer=nn.BatchNorm2d)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.stem(x)
        levels: OrderedDict[str, Tensor] = OrderedDict()
        for index, stage in enumerate(self.stages):
            x = stage(x)
            levels[str(index)] = x
        return self.fpn(levels)


class CoarseRegionProposalNetwork(RegionProposalNetwork):
    """torchvision's RPN on strides 8, 16 and 32; stride 4 serves the RoI heads alone."""

    skip_levels = ("0",)

    def forward(self, images: ImageList, features: dict[str, Tensor], targets=None):
        coarse = OrderedDict((name, level) for name, level in features.items() if name not in self.skip_levels)
        return super().forward(images, coarse, targets)


def build_model(min_size_px: int = MIN_SIZE_PX, max_size_px: int = MAX_SIZE_PX) -> MaskRCNN:
    """A new, untrained model; images are resized to a shortest edge of `min_size_px`, torchvision's way."""
    levels = ["0", "1", "2", "3"]
    model = MaskRCNN(
        Backbone(),
        min_size=min_size_px,
        max_size=max_size_px,
        image_mean=[0.45] * 3,
        image_std=[0.25] * 3,
        rpn_anchor_generator=AnchorGenerator(((36, 54), (80, 120), (176, 256)), ((0.5, 1.0, 2.0),) * 3),
        rpn_pre_nms_top_n_train=400,
        rpn_pre_nms_top_n_test=300,
        rpn_post_nms_top_n_train=200,
        rpn_post_nms_top_n_test=100,
        rpn_batch_size_per_image=128,
        box_roi_pool=MultiScaleRoIAlign(levels, output_size=7, sampling_ratio=2),
        box_head=TwoMLPHead(PYRAMID_CHANNELS * 7 * 7, 256),
        box_predictor=FastRCNNPredictor(256, NUM_CLASSES),
        box_batch_size_per_image=64,
        box_positive_fraction=0.4,
        box_nms_thresh=0.6,
        box_score_thresh=0.05,
        box_detections_per_img=20,
        mask_roi_pool=MultiScaleRoIAlign(levels, output_size=14, sampling_ratio=2),
        mask_head=MaskRCNNHeads(PYRAMID_CHANNELS, (64, 64, 64), dilation=1),
        mask_predictor=MaskRCNNPredictor(64, 64, NUM_CLASSES),
    )
    model.rpn.__class__ = CoarseRegionProposalNetwork
    return model
