"""State dicts in the forms that training scripts leave."""

import pytest
import torch
from torchvision.models.detection import fasterrcnn_resnet50_fpn
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.ops.misc import FrozenBatchNorm2d

from millrace_export.architectures import build, set_batch_norm_epsilon
from millrace_export.checkpoint import class_count, has_frozen_batch_norm, load_weights, read_weights
from millrace_export.errors import ExportError

WEIGHT = {"roi_heads.box_predictor.cls_score.weight": torch.zeros(3, 8)}


@pytest.mark.parametrize(
    "content",
    [
        WEIGHT,
        {"model": WEIGHT, "optimizer": {}, "epoch": 3},
        {"state_dict": WEIGHT},
        {f"module.{name}": value for name, value in WEIGHT.items()},
    ],
)
def test_wrapped_state_dicts(tmp_path, content):
    torch.save(content, tmp_path / "model.pth")
    weights = read_weights(tmp_path / "model.pth")
    assert list(weights) == list(WEIGHT)
    assert class_count(weights) == 3


def test_a_missing_file(tmp_path):
    with pytest.raises(ExportError, match="does not exist"):
        read_weights(tmp_path / "model.pth")


def test_a_whole_pickled_model(tmp_path):
    torch.save(torch.nn.Linear(1, 1), tmp_path / "model.pth")
    with pytest.raises(ExportError, match=r"torch.save\(model.state_dict\(\), path\)"):
        read_weights(tmp_path / "model.pth")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_a_file_that_is_no_checkpoint(tmp_path, content):
    (tmp_path / "model.pth").write_bytes(content)
    with pytest.raises(ExportError, match="is not a checkpoint"):
        read_weights(tmp_path / "model.pth")


def test_something_else_than_tensors(tmp_path):
    torch.save({"epoch": 3}, tmp_path / "model.pth")
    with pytest.raises(ExportError, match="holds no state dict"):
        read_weights(tmp_path / "model.pth")


def freeze(module: torch.nn.Module, epsilon: float) -> None:
    """Every BatchNorm2d replaced by torchvision's FrozenBatchNorm2d of other statistics."""
    for name, child in module.named_children():
        if isinstance(child, torch.nn.BatchNorm2d):
            frozen = FrozenBatchNorm2d(child.num_features, eps=epsilon)
            frozen.running_var.copy_(torch.rand_like(frozen.running_var) * 1e-3 + 1e-4)
            frozen.weight.copy_(frozen.running_var.sqrt())  # so that activations neither fade nor explode
            setattr(module, name, frozen)
        else:
            freeze(child, epsilon)


@pytest.mark.parametrize("epsilon", [0.0, 1e-5])
def test_fine_tuned_as_in_the_tutorials(tmp_path, epsilon):
    """Frozen batch normalisation and a replaced predictor: the model built for the checkpoint gives its features."""
    torch.manual_seed(0)
    tuned = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    tuned.roi_heads.box_predictor = FastRCNNPredictor(1024, 3)
    freeze(tuned.backbone, epsilon)
    torch.save(tuned.state_dict(), tmp_path / "model.pth")

    weights = read_weights(tmp_path / "model.pth")
    assert has_frozen_batch_norm(weights)
    model = build("fasterrcnn_resnet50_fpn", class_count(weights))
    load_weights(model, weights, "model.pth")
    set_batch_norm_epsilon(model, epsilon)
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected, found = tuned.eval().backbone(image), model.backbone(image)
    for level, value in expected.items():
        assert (found[level] - value).abs().max() <= 1e-4 * value.abs().max()


def test_batch_norm_that_was_trained_is_not_frozen(mask_rcnn):
    assert not has_frozen_batch_norm(mask_rcnn.state_dict())
