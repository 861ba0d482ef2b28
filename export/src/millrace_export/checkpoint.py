"""State dicts as training leaves them: reading, checking against a model, loading."""

import pickle
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from .errors import ExportError

CLASS_LAYER = "roi_heads.box_predictor.cls_score.weight"
STEPS_SEEN = "num_batches_tracked"  # kept by BatchNorm2d, not by FrozenBatchNorm2d; plays no part in inference
SHOWN_DIFFERENCES = 5

Weights = dict[str, Tensor]


def read_weights(path: Path) -> Weights:
    """The state dict in `path`: bare, or under "model" or "state_dict"; without DistributedDataParallel's "module."."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ExportError(f"the checkpoint {path} does not exist") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ExportError(
            f"{path} is not a checkpoint of tensors alone ({first_line}). "
            "Save the weights with torch.save(model.state_dict(), path), not the whole model."
        ) from error
    for wrapper in ("model", "state_dict"):
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ExportError(f'{path} holds no state dict (names to tensors), neither bare nor under "model"')
    for name in [name for name in content if name.startswith("module.")]:
        content[name.removeprefix("module.")] = content.pop(name)
    return content


def class_count(weights: Weights) -> int | None:
    """How many classes, with the background, the box predictor was trained for."""
    layer = weights.get(CLASS_LAYER)
    return None if layer is None else layer.shape[0]


def has_frozen_batch_norm(weights: Weights) -> bool:
    """Whether batch normalisation was FrozenBatchNorm2d, which torchvision uses when it starts from trained weights."""
    names = list(weights)
    return any(name.endswith("running_var") for name in names) and not any(name.endswith(STEPS_SEEN) for name in names)


def load_weights(model: nn.Module, weights: Weights, source: str) -> None:
    """Load all of `weights` into `model`; ExportError with the first differences if they do not fit each other."""
    try:
        missing, unexpected = model.load_state_dict(weights, strict=False)
        differences = _only_in_one(missing, unexpected)
    except RuntimeError:  # shapes; PyTorch then tells only of those
        expected = model.state_dict()
        differences = _only_in_one(expected.keys() - weights.keys(), weights.keys() - expected.keys())
        differences += [
            f"{name}: {list(weights[name].shape)} in the checkpoint, {list(value.shape)} in the model"
            for name, value in expected.items()
            if name in weights and weights[name].shape != value.shape
        ]
    if differences:
        shown = "\n  ".join(differences[:SHOWN_DIFFERENCES])
        more = len(differences) - SHOWN_DIFFERENCES
        rest = f"\n  and {more} more" if more > 0 else ""
        raise ExportError(
            f"{source} does not fit this architecture:\n  {shown}{rest}\nIs --arch the one that was trained?"
        )


def _only_in_one(model_names: Iterable[str], checkpoint_names: Iterable[str]) -> list[str]:
    sides = ((model_names, "only in the model"), (checkpoint_names, "only in the checkpoint"))
    return [f"{name}: {side}" for names, side in sides for name in sorted(names) if not name.endswith(STEPS_SEEN)]
