"""Write the model packages, scenes and reference detections that the TypeScript tests read.

    python tests/make_fixtures.py ../test/fixtures

    models/tiny-mask-rcnn/    the trained tiny model, `millrace` contract
    models/tiny-faster-rcnn/  the same weights without the mask branch
    models/tiny-torchvision/  the same weights by torchvision's own export, `torchvision` contract
    scenes/*.png              five scenes of two sizes, unseen in training; nothing is detected in the last

Each package carries reference.json: what PyTorch's own call of the model, each image alone, finds in the scenes. Boxes
are xyxy in the scene's pixels; `rle` is the COCO run-length encoding of mask > 0.5, by pycocotools.
"""

import argparse
import inspect
import json
import math
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import cv2
import numpy as np
import torch
from pycocotools import mask as coco_mask
from torch import nn

sys.path[:0] = [str(Path(__file__).parents[1] / "src"), str(Path(__file__).parent)]

from tiny_model import CHECKPOINT, MAX_SIZE_PX, MIN_SIZE_PX, trained_faster_rcnn, trained_mask_rcnn

from millrace_export import cli
from millrace_export.classes import ModelClass
from millrace_export.demos.id_cards.scenes import scene
from millrace_export.package import ONNX_FILE, file_sha256, write_manifest

FIRST_SEED = 3_000_000  # neither trained nor validated on
SIZES = {
    "cards-1": (180, 240),
    "cards-2": (180, 240),
    "cards-3": (200, 150),
    "cards-4": (200, 150),
    "empty": (180, 240),
}
ID_CARD = ModelClass(label=1, id=1, name="id_card", color="#ff7f0e")


def traced_resize_is_right(height: int, width: int) -> bool:
    """Whether torchvision's exported graph resizes to the size that PyTorch resizes to.

    The tracer turns min_size / edge into min_size * (1 / edge) in float32. For about one shortest edge in five the
    product falls just short, floor() drops a pixel, and the graph's detections are not PyTorch's.
    """
    one = np.float32(1)
    short, long = np.float32(min(height, width)), np.float32(max(height, width))
    traced = min(one / short * np.float32(MIN_SIZE_PX), one / long * np.float32(MAX_SIZE_PX))
    exact = min(MIN_SIZE_PX / min(height, width), MAX_SIZE_PX / max(height, width))
    return all(np.floor(np.float32(edge) * traced) == math.floor(edge * exact) for edge in (height, width))


def detect(model: nn.Module, image: np.ndarray) -> dict[str, torch.Tensor]:
    pixels = torch.from_numpy(image).permute(2, 0, 1).to(torch.float32) / 255
    with torch.inference_mode():
        return model([pixels])[0]


def reference(model: nn.Module, scenes: dict[str, np.ndarray]) -> dict:
    images = []
    for name, image in scenes.items():
        found = detect(model, image)
        detections = [
            {"box": box, "label": label, "score": score}
            for box, label, score in zip(*(found[key].tolist() for key in ("boxes", "labels", "scores")))
        ]
        for detection, mask in zip(detections, found.get("masks", [])):
            rle = coco_mask.encode(np.asfortranarray((mask[0] > 0.5).numpy().astype(np.uint8)))
            detection["rle"] = {"size": rle["size"], "counts": rle["counts"].decode()}
        height, width, _ = image.shape
        images.append({"file": f"{name}.png", "height": height, "width": width, "detections": detections})
    return {"images": images}


def make_scenes(model: nn.Module) -> dict[str, np.ndarray]:
    """RGB images by name: scenes with two confident detections at least, and one in which nothing is found."""
    scenes: dict[str, np.ndarray] = {}
    seed = FIRST_SEED
    for name, (height, width) in SIZES.items():
        while name not in scenes:
            image = cv2.resize(scene(seed)[0], (width, height), interpolation=cv2.INTER_AREA)
            scores = detect(model, image)["scores"]
            if (scores > 0.5).sum() >= 2 if name != "empty" else len(scores) == 0:
                scenes[name] = image
            seed += 1
    return scenes


def write_millrace_package(folder: Path, function: str, checkpoint: Path) -> None:
    arguments = ["--arch", f"tiny_model:{function}", "--checkpoint", str(checkpoint), "--output", str(folder)]
    if cli.main([*arguments, "--class", f"{ID_CARD.name}={ID_CARD.color}"]) != 0:
        raise SystemExit(1)


def write_torchvision_package(folder: Path, model: nn.Module) -> None:
    """As the tutorials export: one image, floats in 0..1, torchvision's own post-processing in the graph."""
    folder.mkdir(parents=True)
    tracer = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0)),
            str(folder / ONNX_FILE),
            opset_version=17,
            input_names=["input"],
            output_names=["boxes", "labels", "scores", "masks"],
            dynamic_axes={"input": {2: "height", 3: "width"}},
            **tracer,
        )
    document = {
        "schema": 1,
        "name": folder.name,
        "task": "instance-segmentation",
        "file": ONNX_FILE,
        "sha256": file_sha256(folder / ONNX_FILE),
        "contract": "torchvision",
        "input": {
            "layout": "NCHW",
            "dtype": "float32",
            "color": "RGB",
            "shape": "dynamic",
            "resize": {"policy": "none"},
            "scale": 1 / 255,
        },
        "batch": {"size": 1, "max": 1, "padding": "forbidden"},
        "boxes": {"frame": "image"},
        "masks": {"frame": "image", "values": "probability", "threshold": 0.5},
        "classes": [ID_CARD.to_json()],
        "thresholds": {"score": model.roi_heads.score_thresh, "label": 0.5},
    }
    write_manifest(folder, document)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="test/fixtures of the repository; models/tiny-* are replaced")
    output: Path = parser.parse_args().output

    mask_rcnn, faster_rcnn = trained_mask_rcnn(), trained_faster_rcnn()
    scenes = make_scenes(mask_rcnn)
    assert all(traced_resize_is_right(*image.shape[:2]) for image in scenes.values())
    (output / "scenes").mkdir(parents=True, exist_ok=True)
    for name, image in scenes.items():
        cv2.imwrite(str(output / "scenes" / f"{name}.png"), image[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])

    folders = {name: output / "models" / name for name in ("tiny-mask-rcnn", "tiny-faster-rcnn", "tiny-torchvision")}
    for folder in folders.values():
        shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        boxes_only = Path(scratch) / "faster.pth"
        torch.save(faster_rcnn.state_dict(), boxes_only)
        write_millrace_package(folders["tiny-mask-rcnn"], "build_mask_rcnn", CHECKPOINT)
        write_millrace_package(folders["tiny-faster-rcnn"], "build_faster_rcnn", boxes_only)
    write_torchvision_package(folders["tiny-torchvision"], mask_rcnn)
    for name, folder in folders.items():
        document = reference(faster_rcnn if name == "tiny-faster-rcnn" else mask_rcnn, scenes)
        (folder / "reference.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
