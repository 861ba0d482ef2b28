"""Box and mask AP of a torchvision Mask R-CNN on generated scenes, by pycocotools (COCO's IoU 0.50:0.95).

    python -m millrace_export.demos.id_cards.evaluate model.pth
"""

import argparse
import contextlib
import io
from collections.abc import Sequence

import numpy as np
import torch
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor, nn

from .network import build_model
from .scenes import scene

HELD_OUT_SEED = 3_000_000  # neither trained on, nor looked at while training
HELD_OUT_SCENES = 200

Scene = tuple[np.ndarray, np.ndarray]  # image [H, W, 3] uint8 RGB, instance map [H, W] uint8: 0 background, k card k


def image_tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def instance_target(instance_map: np.ndarray) -> dict[str, Tensor]:
    """torchvision's training target of one scene: boxes [K, 4] xyxy px, labels [K], masks [K, H, W]."""
    instances = [k for k in range(1, int(instance_map.max()) + 1) if (instance_map == k).any()]
    masks = np.zeros((len(instances), *instance_map.shape), np.uint8)
    boxes = np.zeros((len(instances), 4), np.float32)
    for index, instance in enumerate(instances):
        masks[index] = instance_map == instance
        rows, columns = np.where(masks[index].any(1))[0], np.where(masks[index].any(0))[0]
        boxes[index] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    labels = torch.ones(len(instances), dtype=torch.int64)
    return {"boxes": torch.from_numpy(boxes), "labels": labels, "masks": torch.from_numpy(masks)}


def xywh(box: np.ndarray) -> list[float]:
    return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]


def encode(mask: np.ndarray) -> dict:
    return coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))


def ground_truth(scenes: Sequence[Scene]) -> COCO:
    images, annotations = [], []
    for image_id, (image, instance_map) in enumerate(scenes, start=1):
        images.append({"id": image_id, "height": image.shape[0], "width": image.shape[1]})
        target = instance_target(instance_map)
        for box, mask in zip(target["boxes"].numpy(), target["masks"].numpy()):
            annotations.append({
                "id": len(annotations) + 1, "image_id": image_id, "category_id": 1, "iscrowd": 0,
                "bbox": xywh(box), "area": float(mask.sum()), "segmentation": encode(mask),
            })
    coco = COCO()
    coco.dataset = {"info": {}, "images": images, "annotations": annotations,
                    "categories": [{"id": 1, "name": "id_card"}]}
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco


def evaluate(model: nn.Module, scenes: Sequence[Scene], truth: COCO | None = None) -> dict[str, dict[str, float]]:
    """AP of `model` on `scenes`: {"bbox": {"AP", "AP50", "AP75", "AP90"}, "segm": {...}}, each 0..1."""
    truth = truth or ground_truth(scenes)
    model.eval()
    boxes, masks = [], []
    with torch.inference_mode():
        for image_id, (image, _) in enumerate(scenes, start=1):
            found = model([image_tensor(image)])[0]
            for box, score, mask in zip(found["boxes"].numpy(), found["scores"].numpy(), found["masks"].numpy()):
                common = {"image_id": image_id, "category_id": 1, "score": float(score)}
                boxes.append({**common, "bbox": xywh(box)})
                masks.append({**common, "segmentation": encode(mask[0] > 0.5)})
    return {"bbox": average_precision(truth, boxes, "bbox"), "segm": average_precision(truth, masks, "segm")}


def average_precision(truth: COCO, results: list[dict], iou_type: str) -> dict[str, float]:
    if not results:
        return {"AP": 0.0, "AP50": 0.0, "AP75": 0.0, "AP90": 0.0}
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(results), iou_type)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    at_90 = evaluation.eval["precision"][8, :, 0, 0, 2].mean()
    values = {"AP": evaluation.stats[0], "AP50": evaluation.stats[1], "AP75": evaluation.stats[2], "AP90": at_90}
    return {name: round(float(value), 4) for name, value in values.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", help="state dict of network.build_model()")
    parser.add_argument("--seed", type=int, default=HELD_OUT_SEED, help="of the first scene (default: %(default)s)")
    parser.add_argument("--scenes", type=int, default=HELD_OUT_SCENES)
    args = parser.parse_args()
    model = build_model()
    model.load_state_dict(torch.load(args.checkpoint))
    for iou_type, values in evaluate(model, [scene(args.seed + n) for n in range(args.scenes)]).items():
        print(iou_type, "  ".join(f"{name} {value:.3f}" for name, value in values.items()))


if __name__ == "__main__":
    main()
