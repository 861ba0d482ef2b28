"""The classes of a model package: from a JSON file, a colour map, the command line, or COCO's own names."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

from .errors import ExportError

COCO_CLASS_COUNT = 91  # with the background and the ten numbers that COCO left out
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_KEYS = {"label", "id", "name", "supercategory", "color"}


@dataclass(frozen=True)
class ModelClass:
    label: int  # what the model emits: 1 and up, 0 is the background
    id: int  # COCO category id
    name: str
    supercategory: str | None = None
    color: str | None = None  # "#rrggbb"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ExportError(f"class {self.label}: the name is {self.name!r}; it must be a text")
        if self.color is not None and not (isinstance(self.color, str) and _COLOR.fullmatch(self.color)):
            raise ExportError(f'class "{self.name}": the colour is {self.color!r}; write "#rrggbb"')
        if not all(isinstance(number, int) and number >= 1 for number in (self.label, self.id)):
            raise ExportError(f'class "{self.name}": label and id are whole numbers from 1; 0 is the background')

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value is not None}


def classes_from_json(path: Path) -> list[ModelClass]:
    """A JSON array of names, or of objects {"name", "color"?, "label"?, "id"?, "supercategory"?}, background left out.

    Labels count from 1 in the order of the file unless they are given; ids equal labels unless they are given.
    """
    entries = _read_json(path)
    if not isinstance(entries, list) or not entries:
        raise ExportError(f'{path}: a JSON array of class names is expected, such as ["student_id"]')
    classes = []
    for position, entry in enumerate(entries, start=1):
        fields = {"name": entry} if isinstance(entry, str) else entry
        if not isinstance(fields, dict) or not set(fields) <= _KEYS or "name" not in fields:
            raise ExportError(f"{path}: entry {position} is neither a name nor an object of {', '.join(sorted(_KEYS))}")
        label = fields.get("label", position)
        classes.append(ModelClass(**{"id": label, **fields, "label": label}))
    return classes


def classes_from_colormap(path: Path) -> list[ModelClass]:
    """{"items": [{"label": name, "color": [r, g, b] in 0..1}, ...]}, the first item being the background."""
    content = _read_json(path)
    try:
        items = [(item["label"], [float(channel) for channel in item["color"]]) for item in content["items"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(
            f'{path}: {{"items": [{{"label": "background", "color": [r, g, b]}}, ...]}} is expected, colours in 0..1'
        ) from error
    for name, color in items:
        if len(color) != 3 or not all(0 <= channel <= 1 for channel in color):
            raise ExportError(f'{path}: the colour of "{name}" is {color}; three numbers in 0..1 are expected')
    if len(items) < 2:
        raise ExportError(f"{path}: no class besides the background, which is item 0")
    return [
        ModelClass(label, label, name, color="#" + "".join(f"{round(channel * 255):02x}" for channel in color))
        for label, (name, color) in enumerate(items)
        if label > 0
    ]


def classes_from_options(options: Sequence[str]) -> list[ModelClass]:
    """NAME or NAME=#rrggbb, one a class, labels from 1."""
    classes = []
    for label, option in enumerate(options, start=1):
        name, separator, color = option.rpartition("=#")
        classes.append(
            ModelClass(label, label, name, color=f"#{color}") if separator else ModelClass(label, label, option)
        )
    return classes


def unnamed_classes(num_classes: int, trained: bool) -> list[ModelClass]:
    """COCO's names for a trained model of COCO's count, which never emits the numbers left out; else class_1, ..."""
    if trained and num_classes == COCO_CLASS_COUNT:
        names = FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
        return [ModelClass(label, label, name) for label, name in enumerate(names) if label > 0 and name != "N/A"]
    return [ModelClass(label, label, f"class_{label}") for label in range(1, num_classes)]


def check_classes(classes: Sequence[ModelClass], num_classes: int) -> None:
    """ExportError unless labels are unique and end where the model's do, at num_classes - 1.

    Labels that are skipped on purpose, as COCO's are, must be given explicitly.
    """
    labels = [entry.label for entry in classes]
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise ExportError(f"label {repeated[0]} is given to two classes")
    if max(labels) != num_classes - 1:
        raise ExportError(
            f"the classes' labels go up to {max(labels)}, but the model has {num_classes - 1} classes besides the "
            "background"
        )


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ExportError(f"{path}: {error}") from error
