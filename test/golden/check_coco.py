"""Checks with pycocotools that the final files of a run are what `COCO(...)` and `loadRes` read.

    python test/golden/check_coco.py <output of a run>

Needs pycocotools (2.0.11 was used) and NumPy. Prints one line a file; exit code 1 and a message if anything is wrong.
"""

import argparse
import csv
import json
import sys
from pathlib import Path

import numpy as np
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO

FLOAT32_ROUNDING = 1e-6
"""Relative: boxes, areas and scores are float32."""


class CheckError(Exception):
    pass


def require(condition: bool, message: str) -> None:
    if not condition:
        raise CheckError(message)


def check_dataset(path: Path) -> COCO:
    """`annotations.json`: ids, masks, areas, and that every box lies in its image."""
    coco = COCO(str(path))
    annotations = coco.dataset["annotations"]
    require([a["id"] for a in annotations] == list(range(1, len(annotations) + 1)), "annotation ids are not 1, 2, ...")
    require(len(coco.imgs) == len(coco.dataset["images"]), "image ids are not unique")
    for annotation in annotations:
        where = f"annotation {annotation['id']}"
        image = coco.imgs.get(annotation["image_id"])
        require(image is not None, f"{where}: no image {annotation['image_id']}")
        require(annotation["category_id"] in coco.cats, f"{where}: no category {annotation['category_id']}")
        check_box(annotation["bbox"], image, where)
        if annotation["segmentation"]:
            check_mask(coco.annToRLE(annotation), annotation["area"], image, where)
        else:
            _, _, width, height = annotation["bbox"]
            require(np.isclose(annotation["area"], width * height, rtol=FLOAT32_ROUNDING), f"{where}: area")
    return coco


def check_box(bbox: list, image: dict, where: str) -> None:
    x, y, width, height = bbox
    slack = FLOAT32_ROUNDING * max(image["width"], image["height"])
    inside = (
        min(x, y, width, height) >= 0
        and x + width <= image["width"] + slack
        and y + height <= image["height"] + slack
    )
    require(inside, f"{where}: box {bbox} is not in an image of {image['width']} x {image['height']}")


def check_mask(rle: dict, area: int, image: dict, where: str) -> None:
    require(rle["size"] == [image["height"], image["width"]], f"{where}: mask of {rle['size']}")
    require(mask_utils.area(rle) == area, f"{where}: area is {area}, of the mask {mask_utils.area(rle)}")
    pixels = mask_utils.decode(rle)
    again = mask_utils.encode(np.asfortranarray(pixels))["counts"].decode("ascii")
    counts = rle["counts"] if isinstance(rle["counts"], str) else rle["counts"].decode("ascii")
    require(again == counts, f"{where}: run lengths are not those that pycocotools writes")


def check_results(coco: COCO, path: Path, kind: str) -> int:
    """A results file: loads, in the order of its images, and with the areas of its kind."""
    results = json.loads(path.read_text())
    if not results:
        return 0  # loadRes([]) raises an IndexError
    loaded = coco.loadRes(str(path))
    require(len(loaded.anns) == len(results), f"{path.name}: loadRes kept {len(loaded.anns)} of {len(results)}")
    for raw, annotation in zip(results, loaded.dataset["annotations"]):
        require(("bbox" in raw) == (kind == "bbox"), f"{path.name}: {kind} results and bbox")
        require(0 <= raw["score"] <= 1, f"{path.name}: score {raw['score']}")
        require(raw["category_id"] in coco.cats, f"{path.name}: no category {raw['category_id']}")
        if kind == "segm":
            require(annotation["area"] == mask_utils.area(raw["segmentation"]), f"{path.name}: area of a mask")
    return len(results)


def check_run(output: Path) -> None:
    coco = check_dataset(output / "annotations.json")
    print(f"annotations.json: {len(coco.imgs)} images, {len(coco.anns)} annotations")
    for kind in ("bbox", "segm"):
        path = output / "results" / f"{kind}.json"
        if path.exists():
            print(f"results/{kind}.json: {check_results(coco, path, kind)} results")
    with (output / "failures.csv").open(newline="", encoding="utf-8") as file:
        failures = list(csv.DictReader(file))
    require(all(row["failure_class"] and None not in row for row in failures), "failures.csv: a row is malformed")
    print(f"failures.csv: {len(failures)} failures")
    success = json.loads((output / "_SUCCESS").read_text())
    found = {"labelled": len(coco.imgs), "failed": len(failures), "annotations": len(coco.anns)}
    found["images"] = found["labelled"] + found["failed"]
    require(found.items() <= success.items(), f"_SUCCESS says {success}, found {found}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="folder that holds annotations.json and _SUCCESS")
    try:
        check_run(parser.parse_args().output)
    except CheckError as error:
        sys.exit(f"check_coco: {error}")
