"""The command: what it writes, and what it refuses."""

import hashlib
import json
import re

import pytest
import torch

from millrace_export import cli, verify
from millrace_export.cli import main

TINY = "tiny_model:build_mask_rcnn"


@pytest.fixture
def export(tmp_path, tiny_checkpoint, capsys):
    """Run the command with the tiny model's arguments, some replaced; returns exit code, stdout, stderr."""

    def run(*extra: str, arch: str = TINY, checkpoint=tiny_checkpoint):
        source = ["--checkpoint", str(checkpoint)] if checkpoint else []
        code = main(["--arch", arch, *source, "--output", str(tmp_path / "package"), *extra])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def nothing_left(tmp_path) -> bool:
    return not [path for path in tmp_path.iterdir() if "package" in path.name]


def test_writes_a_verified_package(export, tmp_path):
    code, out, _ = export("--class", "id_card=#ff7f0e", "--max-batch", "4", "--name", "cards")
    assert code == 0
    assert "detections" in out and "unmatched" in out
    folder = tmp_path / "package"
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.onnx"]
    manifest = json.loads((folder / "model.json").read_text())
    sha256 = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    assert manifest == {
        "schema": 1,
        "name": "cards",
        "task": "instance-segmentation",
        "file": "model.onnx",
        "sha256": sha256,
        "contract": "millrace",
        "input": {
            "layout": "NHWC",
            "dtype": "uint8",
            "color": "RGB",
            "shape": "dynamic",
            "resize": {
                "policy": "shortest-edge",
                "size": 144,
                "max": 216,
                "rounding": "floor",
                "filter": "torch-bilinear",
            },
            "crop": None,
            "pad": {"divisor": 32, "value": [0, 0, 0], "at": "right-bottom", "ladder": "exact"},
            "scale": 1,
            "mean": [0, 0, 0],
            "std": [1, 1, 1],
        },
        "batch": {"size": "dynamic", "max": 4, "padding": "masked"},
        "boxes": {"frame": "input"},
        "masks": {"frame": "box", "values": "probability", "threshold": 0.5, "paste": "torchvision"},
        "classes": [{"label": 1, "id": 1, "name": "id_card", "color": "#ff7f0e"}],
        "thresholds": {"score": 0.05, "label": 0.5},
    }


def test_options_reach_the_manifest_and_the_graph(export, tmp_path, blank):
    code, _, _ = export(
        "--input-dtype", "float32", "--score-threshold", "0.3", "--label-threshold", "0.6", "--no-verify"
    )
    assert code == 0
    manifest = json.loads((tmp_path / "package" / "model.json").read_text())
    assert manifest["input"]["dtype"] == "float32"
    assert manifest["thresholds"] == {"score": 0.3, "label": 0.6}
    assert manifest["classes"] == [{"label": 1, "id": 1, "name": "class_1"}]
    assert manifest["name"] == "package"
    graph = verify.OnnxModel(tmp_path / "package" / "model.onnx", "float32")
    assert graph.outputs(blank(1, 160, 160))["num_detections"].tolist() == [0]


def test_without_masks_the_task_is_detection(export, tmp_path):
    code, out, _ = export("--weights", "random", arch="tiny_model:build_faster_rcnn", checkpoint=None)
    assert code == 0, out
    manifest = json.loads((tmp_path / "package" / "model.json").read_text())
    assert manifest["task"] == "object-detection"
    assert "masks" not in manifest


def test_a_module_beside_the_user(export, tmp_path, monkeypatch):
    (tmp_path / "my_network.py").write_text(
        "import tiny_model\ndef build(num_classes):\n    assert num_classes == 2\n    return tiny_model.build_mask_rcnn()\n"
    )
    monkeypatch.chdir(tmp_path)
    assert export("--no-verify", arch="my_network:build")[0] == 0


def test_failed_verification_leaves_nothing(export, tmp_path, monkeypatch):
    monkeypatch.setattr(verify, "BOX_TOLERANCE_PX", -1.0)
    code, _, err = export()
    assert code == 1
    assert "ONNX Runtime does not give PyTorch's detections" in err
    assert "unmatched" in err
    assert nothing_left(tmp_path)


def test_a_crash_while_exporting_leaves_nothing(export, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("disk full")

    monkeypatch.setattr(cli, "write_onnx", fail)
    with pytest.raises(RuntimeError):
        export()
    assert nothing_left(tmp_path)


def test_an_existing_output_is_kept(export, tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "precious.txt").write_text("mine")
    code, _, err = export()
    assert code == 2
    assert "exists already" in err
    assert (tmp_path / "package" / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "options, reason",
    [
        (["--num-classes", "7"], "--num-classes 7, but .* was trained for 2"),
        (["--class", "a", "--class", "b"], "labels go up to 2, but the model has 1 classes"),
        (["--class", "a=#ff"], 'write "#rrggbb"'),
        (["--score-threshold", "1.5"], "--score-threshold 1.5: a number in 0..1"),
        (["--label-threshold", "-1"], "--label-threshold -1.0"),
        (["--max-batch", "0"], "--max-batch 0: at least 1"),
        (["--name", "two words"], 'the name "two words" must be'),
        (["--classes", "missing.json"], "missing.json"),
        (["--verify-images", "."], "no picture in this folder"),
    ],
)
def test_options_that_do_not_fit_are_refused(export, tmp_path, monkeypatch, options, reason):
    monkeypatch.chdir(tmp_path)
    code, _, err = export(*options)
    assert code == 2
    assert re.search(reason, err), err
    assert nothing_left(tmp_path)


@pytest.mark.parametrize(
    "arch, reason",
    [
        ("maskrcnn_resnet", 'unknown architecture "maskrcnn_resnet"; known are maskrcnn_resnet50_fpn'),
        ("no_such_module:build", "No module named 'no_such_module'"),
        ("tiny_model:no_such_function", "has no attribute 'no_such_function'"),
        ("builtins:dict", "returned dict, not a torch.nn.Module"),
        ("builtins:__name__", "is not a function"),
    ],
)
def test_unknown_architectures_are_refused(export, arch, reason):
    code, _, err = export(arch=arch)
    assert code == 2
    assert reason in err


def test_a_checkpoint_of_another_architecture_names_the_first_differences(export, tmp_path):
    code, _, err = export(arch="fasterrcnn_mobilenet_v3_large_320_fpn")
    assert code == 2
    assert "does not fit this architecture" in err
    assert "backbone.body.0.0.weight: only in the model" in err
    assert "more\nIs --arch the one that was trained?" in err


def test_shapes_that_differ_are_named(export, tmp_path, tiny_checkpoint):
    weights = torch.load(tiny_checkpoint)
    weights["roi_heads.box_head.fc6.weight"] = torch.zeros(3, 4)
    torch.save(weights, tmp_path / "other.pth")
    code, _, err = export(checkpoint=tmp_path / "other.pth")
    assert code == 2
    assert "roi_heads.box_head.fc6.weight: [3, 4] in the checkpoint, [64, 1176] in the model" in err


def test_no_classes_known_for_random_weights(export):
    code, _, err = export("--weights", "random", arch="maskrcnn_resnet50_fpn", checkpoint=None)
    assert code == 2
    assert "the number of classes is not known" in err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    out = capsys.readouterr().out
    assert "examples:" in out and "package.module:function" in out and "fasterrcnn_mobilenet_v3_large_320_fpn" in out
