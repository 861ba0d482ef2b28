"""Class lists from every source."""

import json

import pytest

from millrace_export.classes import (
    ModelClass,
    check_classes,
    classes_from_colormap,
    classes_from_json,
    classes_from_options,
    unnamed_classes,
)
from millrace_export.errors import ExportError


@pytest.fixture
def file(tmp_path):
    def write(content) -> object:
        (tmp_path / "classes.json").write_text(json.dumps(content))
        return tmp_path / "classes.json"

    return write


def test_a_colormap_as_training_writes_it(file):
    items = [
        {"label": "background", "color": [0.1, 0.2, 0.3]},
        {"label": "student_id", "color": [1.0, 0.498, 0.055]},
    ]
    assert classes_from_colormap(file({"items": items})) == [ModelClass(1, 1, "student_id", color="#ff7f0e")]


def test_names_alone(file):
    assert classes_from_json(file(["cat", "dog"])) == [ModelClass(1, 1, "cat"), ModelClass(2, 2, "dog")]


def test_objects(file):
    cat = {"name": "cat", "label": 3, "id": 17, "supercategory": "animal", "color": "#00ff00"}
    assert classes_from_json(file([cat, {"name": "dog", "label": 4}])) == [
        ModelClass(3, 17, "cat", "animal", "#00ff00"),
        ModelClass(4, 4, "dog"),
    ]


def test_options():
    assert classes_from_options(["id_card=#ff7f0e", "a=b"]) == [
        ModelClass(1, 1, "id_card", color="#ff7f0e"),
        ModelClass(2, 2, "a=b"),
    ]


def test_coco_skips_the_numbers_that_were_never_used():
    coco = unnamed_classes(91, trained=True)
    assert len(coco) == 80
    assert coco[0] == ModelClass(1, 1, "person")
    assert coco[-1] == ModelClass(90, 90, "toothbrush")
    check_classes(coco, 91)
    assert len(unnamed_classes(91, trained=False)) == 90


def test_json_leaves_out_what_is_not_known():
    assert ModelClass(1, 1, "cat").to_json() == {"label": 1, "id": 1, "name": "cat"}


@pytest.mark.parametrize(
    "content, reason",
    [
        ({}, "a JSON array"),
        ([], "a JSON array"),
        ([3], "entry 1 is neither"),
        ([{"title": "cat"}], "entry 1 is neither"),
        ([{"name": ""}], "it must be a text"),
        ([{"name": "cat", "color": "red"}], 'write "#rrggbb"'),
        ([{"name": "cat", "label": 0}], "0 is the background"),
    ],
)
def test_bad_class_files(file, content, reason):
    with pytest.raises(ExportError, match=reason):
        classes_from_json(file(content))


@pytest.mark.parametrize(
    "content, reason",
    [
        (["cat"], "is expected"),
        ({"items": [{"label": "background"}]}, "is expected"),
        ({"items": [{"label": "background", "color": [0, 0, 0]}]}, "no class besides the background"),
        ({"items": [{"label": "background", "color": [0, 0, 255]}]}, "three numbers in 0..1"),
    ],
)
def test_bad_colormaps(file, content, reason):
    with pytest.raises(ExportError, match=reason):
        classes_from_colormap(file(content))


def test_a_label_given_twice():
    with pytest.raises(ExportError, match="label 1 is given to two classes"):
        check_classes([ModelClass(1, 1, "a"), ModelClass(1, 2, "b")], 2)
