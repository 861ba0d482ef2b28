"""A BatchedRCNN to an ONNX file."""

import inspect
import warnings
from pathlib import Path

import torch

from .batched_rcnn import BatchedRCNN
from .onnx_ops import OPSET

INPUT_NAMES = ["images", "image_sizes"]
OUTPUT_NAMES = ["num_detections", "boxes", "labels", "scores", "masks"]
INPUT_DTYPES = {"uint8": torch.uint8, "float32": torch.float32}


def write_onnx(module: BatchedRCNN, path: Path, input_dtype: str = "uint8") -> None:
    """Trace `module` and write its graph; batch, height, width and the number of rows stay dynamic."""
    outputs = OUTPUT_NAMES if module.anatomy.has_masks else OUTPUT_NAMES[:-1]
    axes = {name: {0: "batch", 1: "detections"} for name in outputs}
    axes["num_detections"] = {0: "batch"}
    axes["images"] = {0: "batch", 1: "height", 2: "width"}
    axes["image_sizes"] = {0: "batch"}
    images, image_sizes = _example(input_dtype)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer doubts every Python number; the tests check that none is frozen
        torch.onnx.export(
            module,
            (images, image_sizes),
            str(path),
            opset_version=OPSET,
            input_names=INPUT_NAMES,
            output_names=outputs,
            dynamic_axes=axes,
            **_tracing_exporter(),
        )


def _example(input_dtype: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Two images of different true size, so that the trace meets a real batch."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (2, 256, 320, 3), generator=generator).to(INPUT_DTYPES[input_dtype])
    return images, torch.tensor([[256, 320], [240, 300]])


def _tracing_exporter() -> dict[str, bool]:
    """Newer PyTorch exports by torch.export, which cannot follow data-dependent shapes; ask for the tracer."""
    return {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
