"""An exported graph in ONNX Runtime against torchvision in PyTorch, on the same padded batches."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.ops import box_iou

from .errors import VerificationError
from .graph import INPUT_DTYPES, INPUT_NAMES
from .pictures import Batch, made_up_pictures, pad_batch, read_pictures, resize_as
from .reference import torchvision_on_batch

SAME_IOU = 0.99
# Wide enough for float32 in another order of summation at 1,333 pixels, far too narrow for any wrong step. A detection
# may be missing where an IoU or a score lies on its threshold to the last bits, so a few are allowed.
BOX_TOLERANCE_PX = 0.1
SCORE_TOLERANCE = 1e-3
MASK_TOLERANCE = 1e-2
UNMATCHED_TOLERANCE = 0.02


@dataclass
class Difference:
    """What separates two sets of detections: largest absolute differences of those that match."""

    detections: int = 0
    unmatched: int = 0  # on either side
    box_px: float = 0.0
    score: float = 0.0
    mask: float = 0.0

    def add(self, other: "Difference") -> None:
        self.detections += other.detections
        self.unmatched += other.unmatched
        self.box_px = max(self.box_px, other.box_px)
        self.score = max(self.score, other.score)
        self.mask = max(self.mask, other.mask)

    def is_acceptable(self) -> bool:
        return (
            self.unmatched <= UNMATCHED_TOLERANCE * self.detections
            and self.box_px <= BOX_TOLERANCE_PX
            and self.score <= SCORE_TOLERANCE
            and self.mask <= MASK_TOLERANCE
        )


def compare_detections(expected: dict[str, Tensor], found: dict[str, Tensor]) -> Difference:
    """Match detections of one image as sets (same label, best IoU above 0.99) and measure."""
    result = Difference(detections=len(expected["scores"]))
    overlap = box_iou(expected["boxes"], found["boxes"])
    overlap[expected["labels"][:, None] != found["labels"][None]] = 0.0
    pairs = []
    while overlap.numel() and overlap.max() > SAME_IOU:
        row, column = divmod(int(overlap.argmax()), overlap.shape[1])
        pairs.append((row, column))
        overlap[row] = 0.0
        overlap[:, column] = 0.0
    result.unmatched = len(expected["scores"]) + len(found["scores"]) - 2 * len(pairs)
    if pairs:
        rows, columns = map(list, zip(*pairs))
        result.box_px = float((expected["boxes"][rows] - found["boxes"][columns]).abs().max())
        result.score = float((expected["scores"][rows] - found["scores"][columns]).abs().max())
        if "masks" in expected:
            result.mask = float((expected["masks"][rows] - found["masks"][columns]).abs().max())
    return result


class OnnxModel:
    """A graph of the `millrace` contract in ONNX Runtime's CPU provider."""

    def __init__(self, path: Path, input_dtype: str = "uint8") -> None:
        import onnxruntime  # optional: only verification and tests need it

        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self._names = [output.name for output in self._session.get_outputs()]
        self._dtype = INPUT_DTYPES[input_dtype]

    def outputs(self, batch: Batch) -> dict[str, Tensor]:
        """The graph's outputs as they are, padding rows included."""
        feeds = (batch.images.to(self._dtype).numpy(), batch.image_sizes.numpy())
        values = self._session.run(None, dict(zip(INPUT_NAMES, feeds)))
        return {name: torch.from_numpy(value) for name, value in zip(self._names, values)}

    def detections(self, batch: Batch) -> list[dict[str, Tensor]]:
        """One dict an image, without padding rows."""
        outputs = self.outputs(batch)
        counts = outputs.pop("num_detections").tolist()
        return [{name: value[i, :count] for name, value in outputs.items()} for i, count in enumerate(counts)]


def can_verify() -> bool:
    return importlib.util.find_spec("onnxruntime") is not None


def compare(model: GeneralizedRCNN, graph: OnnxModel, batch: Batch) -> Difference:
    total = Difference()
    for expected, found in zip(
        torchvision_on_batch(model, batch.images, batch.image_sizes), graph.detections(batch), strict=True
    ):
        total.add(compare_detections(expected, found))
    return total


def verify(model: GeneralizedRCNN, onnx_path: Path, input_dtype: str, pictures: Path | None) -> str:
    """A table of differences, one row a batch; VerificationError with that table where they are too large."""
    graph = OnnxModel(onnx_path, input_dtype)
    images = read_pictures(pictures) if pictures else made_up_pictures(model, seed=0)
    resized = [resize_as(model, image) for image in images]
    divisor = model.transform.size_divisible
    batches = [pad_batch(resized[:1], divisor), pad_batch(resized, divisor)]
    table = [
        f"{'batch':>5}  {'canvas':>9}  {'detections':>10}  {'unmatched':>9}  {'boxes, px':>9}  {'scores':>7}  {'masks':>7}"
    ]
    total = Difference()
    for batch in batches:
        difference = compare(model, graph, batch)
        total.add(difference)
        count, height, width, _ = batch.images.shape
        table.append(
            f"{count:>5}  {f'{height}x{width}':>9}  {difference.detections:>10}  {difference.unmatched:>9}"
            f"  {difference.box_px:>9.1e}  {difference.score:>7.1e}  {difference.mask:>7.1e}"
        )
    if not total.is_acceptable():
        raise VerificationError("ONNX Runtime does not give PyTorch's detections:\n" + "\n".join(table))
    if total.detections == 0:
        table.append(
            "No detection in these pictures, so little is proven: name a folder of yours with --verify-images."
        )
    return "\n".join(table)
