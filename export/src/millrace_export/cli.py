"""The command `millrace-export`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from .anatomy import examine
from .architectures import STOCK, ZERO_EPSILON_WHEN_FROZEN, build, enliven, set_batch_norm_epsilon
from .batched_rcnn import BatchedRCNN
from .checkpoint import Weights, class_count, has_frozen_batch_norm, load_weights, read_weights
from .classes import (
    ModelClass,
    check_classes,
    classes_from_colormap,
    classes_from_json,
    classes_from_options,
    unnamed_classes,
)
from .errors import ExportError, VerificationError
from .graph import INPUT_DTYPES, write_onnx
from .package import ONNX_FILE, PackageOptions, file_sha256, manifest, new_folder, refuse_existing, write_manifest
from .verify import can_verify, verify

DESCRIPTION = """\
Turn a trained torchvision Faster R-CNN or Mask R-CNN into a Millrace model package: a folder with model.onnx, whose
batch and image size are dynamic, and model.json, which says how to feed it. If onnxruntime is installed, the graph is
then compared with PyTorch; a package that differs is not written."""

EXAMPLES = f"""\
examples:
  a model fine-tuned as in torchvision's tutorials, with the colour map written at training:
    millrace-export --arch maskrcnn_resnet50_fpn_v2 --checkpoint model.pth --colormap colormap.json \\
      --output models/student-ids

  your own network: a function that returns the model, given as package.module:function:
    millrace-export --arch my_project.network:build_model --checkpoint model.pth --class cat --class dog=#ff7f0e \\
      --output models/pets

  random weights, to measure speed:
    millrace-export --arch maskrcnn_resnet50_fpn --weights random --num-classes 91 --output models/benchmark

architectures:
  {", ".join(list(STOCK)[:3])},
  {", ".join(list(STOCK)[3:])}

Classes are counted as torchvision does, the background included: one kind of object means --num-classes 2."""


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="millrace-export",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    model = result.add_argument_group("model")
    model.add_argument(
        "--arch", required=True, help="a torchvision architecture (see below), or package.module:function"
    )
    source = model.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="a state dict, as torch.save(model.state_dict(), FILE) writes it",
    )
    source.add_argument("--weights", choices=["random"], help="no training at all, for benchmarks")
    model.add_argument("--seed", type=int, default=0, help="of the random weights (default: %(default)s)")
    model.add_argument(
        "--num-classes",
        type=int,
        metavar="N",
        help="with the background; default: what the checkpoint or the classes say",
    )
    model.add_argument(
        "--batch-norm-eps",
        type=float,
        metavar="EPS",
        help="epsilon of the backbone's frozen batch normalisation, which no checkpoint records; default: 0 for "
        f"{' and '.join(sorted(ZERO_EPSILON_WHEN_FROZEN))}, as torchvision sets it with its COCO weights. Give 1e-5 if "
        "training started from ImageNet weights alone",
    )

    naming = result.add_argument_group(
        "classes (one of; default: COCO's names for 91 classes, else class_1, class_2, ...)"
    )
    naming = naming.add_mutually_exclusive_group()
    naming.add_argument(
        "--classes",
        type=Path,
        metavar="FILE",
        help='JSON: ["cat", "dog"], or [{"name": "cat", "id": 17, "color": "#ff7f0e"}]; without the background',
    )
    naming.add_argument(
        "--colormap",
        type=Path,
        metavar="FILE",
        help='JSON: {"items": [{"label", "color": [r, g, b] in 0..1}]}; item 0 is the background',
    )
    naming.add_argument(
        "--class",
        dest="class_options",
        action="append",
        metavar="NAME[=#rrggbb]",
        help="once for each class, in the order of their labels",
    )

    package = result.add_argument_group("package")
    package.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="the package; must not exist yet")
    package.add_argument("--name", help="default: the folder's name")
    package.add_argument(
        "--max-batch",
        type=int,
        default=8,
        metavar="N",
        help="most images in one run of the model (default: %(default)s)",
    )
    package.add_argument(
        "--input-dtype",
        choices=list(INPUT_DTYPES),
        default="uint8",
        help="float32 keeps the fractions of resized pixels, at four times the bytes (default: %(default)s)",
    )
    package.add_argument(
        "--score-threshold",
        type=float,
        metavar="S",
        help="the graph drops detections up to this score (default: the model's own, 0.05 in torchvision)",
    )
    package.add_argument(
        "--label-threshold",
        type=float,
        default=0.5,
        metavar="S",
        help="drawn and written as annotations from this score (default: %(default)s)",
    )

    check = result.add_argument_group("verification").add_mutually_exclusive_group()
    check.add_argument(
        "--verify-images",
        type=Path,
        metavar="FOLDER",
        help="pictures to compare PyTorch and ONNX Runtime on (the first 8); default: made-up ones",
    )
    check.add_argument("--no-verify", action="store_true", help="skip the comparison")
    return result


def load_model(args: argparse.Namespace, classes: list[ModelClass] | None) -> nn.Module:
    """The model with its weights; ExportError where checkpoint, classes and --num-classes disagree."""
    weights: Weights | None = read_weights(args.checkpoint) if args.checkpoint else None
    trained_for = class_count(weights) if weights else None
    if args.num_classes and trained_for and args.num_classes != trained_for:
        raise ExportError(
            f"--num-classes {args.num_classes}, but {args.checkpoint} was trained for {trained_for} (with the background)"
        )
    from_classes = max(entry.label for entry in classes) + 1 if classes else None
    torch.manual_seed(args.seed)
    model = build(args.arch, args.num_classes or trained_for or from_classes)
    if weights is None:
        enliven(model, args.seed)
        return model
    load_weights(model, weights, str(args.checkpoint))
    epsilon = args.batch_norm_eps
    if epsilon is None and args.arch in ZERO_EPSILON_WHEN_FROZEN and has_frozen_batch_norm(weights):
        epsilon = 0.0
        print("frozen batch normalisation: epsilon 0, as in torchvision's COCO weights (see --batch-norm-eps)")
    if epsilon is not None:
        set_batch_norm_epsilon(model, epsilon)
    return model


def named_classes(args: argparse.Namespace) -> list[ModelClass] | None:
    if args.classes:
        return classes_from_json(args.classes)
    if args.colormap:
        return classes_from_colormap(args.colormap)
    return classes_from_options(args.class_options) if args.class_options else None


def export(args: argparse.Namespace) -> None:
    output = args.output.resolve()
    refuse_existing(output)
    options = PackageOptions(args.name or output.name, args.input_dtype, args.max_batch, args.label_threshold)
    if args.score_threshold is not None and not 0 <= args.score_threshold <= 1:
        raise ExportError(f"--score-threshold {args.score_threshold}: a number in 0..1")
    classes = named_classes(args)
    model = load_model(args, classes)
    anatomy = examine(model)
    classes = classes or unnamed_classes(anatomy.num_classes, trained=args.checkpoint is not None)
    check_classes(classes, anatomy.num_classes)
    if args.score_threshold is not None:
        model.roi_heads.score_thresh = args.score_threshold

    with new_folder(output) as folder:
        graph = folder / ONNX_FILE
        write_onnx(BatchedRCNN(model, anatomy), graph, options.input_dtype)
        write_manifest(folder, manifest(model, anatomy, classes, options, file_sha256(graph)))
        megabytes = graph.stat().st_size / 1e6
        if args.no_verify:
            print("not compared with PyTorch: --no-verify")
        elif can_verify():
            print(verify(model, graph, options.input_dtype, args.verify_images))
        else:
            print("not compared with PyTorch: onnxruntime is not installed (pip install onnxruntime)")
    print(f"{args.output}: {args.arch}, {len(classes)} class{'es' if len(classes) > 1 else ''}, {megabytes:.1f} MB")


def main(argv: Sequence[str] | None = None) -> int:
    """0 written, 1 found different from PyTorch, 2 refused; nothing is left behind but after 0."""
    try:
        export(parser().parse_args(argv))
    except ExportError as error:
        print(f"millrace-export: {error}", file=sys.stderr)
        return 1 if isinstance(error, VerificationError) else 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
