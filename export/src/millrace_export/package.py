"""The model package: a folder with model.onnx and model.json, which appears complete or not at all."""

import contextlib
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from .anatomy import Anatomy
from .classes import ModelClass
from .errors import ExportError

ONNX_FILE = "model.onnx"
MANIFEST_FILE = "model.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True)
class PackageOptions:
    name: str
    input_dtype: str = "uint8"  # or float32, on 0..255 all the same
    max_batch: int = 8
    label_threshold: float = 0.5
    mask_threshold: float = 0.5

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ExportError(f'the name "{self.name}" must be letters, digits, ".", "_" and "-", at most 63')
        if self.max_batch < 1:
            raise ExportError(f"--max-batch {self.max_batch}: at least 1")
        if not 0 <= self.label_threshold <= 1:
            raise ExportError(f"--label-threshold {self.label_threshold}: a number in 0..1")


def manifest(
    model: GeneralizedRCNN, anatomy: Anatomy, classes: Sequence[ModelClass], options: PackageOptions, sha256: str
) -> dict[str, Any]:
    """The content of model.json for the `millrace` contract, read from the model wherever the model knows."""
    document = {
        "schema": 1,
        "name": options.name,
        "task": "instance-segmentation" if anatomy.has_masks else "object-detection",
        "file": ONNX_FILE,
        "sha256": sha256,
        "contract": "millrace",
        "input": {
            "layout": "NHWC",
            "dtype": options.input_dtype,
            "color": "RGB",
            "shape": "dynamic",
            "resize": resize_policy(model.transform),
            "crop": None,
            "pad": {
                "divisor": model.transform.size_divisible,
                "value": [0, 0, 0],
                "at": "right-bottom",
                "ladder": "exact",
            },
            "scale": 1,
            "mean": [0, 0, 0],
            "std": [1, 1, 1],
        },
        "batch": {"size": "dynamic", "max": options.max_batch, "padding": "masked"},
        "boxes": {"frame": "input"},
        "classes": [entry.to_json() for entry in classes],
        "thresholds": {"score": model.roi_heads.score_thresh, "label": options.label_threshold},
    }
    if anatomy.has_masks:
        document["masks"] = {
            "frame": "box",
            "values": "probability",
            "threshold": options.mask_threshold,
            "paste": "torchvision",
        }
    return document


def resize_policy(transform: GeneralizedRCNNTransform) -> dict[str, Any]:
    """How GeneralizedRCNNTransform resizes at inference: the last of several min_size; fixed_size is (width, height)."""
    if transform.fixed_size is not None:
        width, height = transform.fixed_size
        return {"policy": "fixed", "height": height, "width": width, "filter": "torch-bilinear"}
    return {
        "policy": "shortest-edge",
        "size": transform.min_size[-1],
        "max": transform.max_size,
        "rounding": "floor",
        "filter": "torch-bilinear",
    }


def write_manifest(folder: Path, document: dict[str, Any]) -> None:
    (folder / MANIFEST_FILE).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def file_sha256(path: Path) -> str:
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def refuse_existing(output: Path) -> None:
    if output.exists():
        raise ExportError(f"the output {output} exists already; choose another --output or remove it")


@contextlib.contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """A folder to fill; it becomes `output` when the block ends well and vanishes when it does not."""
    refuse_existing(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        yield staging
        staging.chmod(0o755)  # mkdtemp's folders are private
        staging.rename(output)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
