"""Train the demo model from scratch on generated scenes: under an hour on two idle cores.

    python -m millrace_export.demos.id_cards.train --output runs/id-cards

Two processes of one thread each share every step (gloo all-reduce): half of a detector's CPU step is serial (NMS,
RoIAlign's backward, Python), so two single-threaded halves are 1.4 times faster than one process with two threads.
Convolutions run in bfloat16 where the processor has it; box deltas, losses and evaluation in float32. The first stage
learns at low resolution, where a step costs a third; the second starts from the averaged weights, sees the final detail
and brings the learning rate to zero. What is kept is the exponential moving average of the weights.
"""

import argparse
import copy
import json
import math
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn

from . import losses
from .dataset import SceneStore, write_scene_store
from .evaluate import evaluate, ground_truth, image_tensor, instance_target
from .network import build_model

WORKERS = 2
BATCH_PER_WORKER = 8
WEIGHT_DECAY = 0.02
MAX_GRADIENT_NORM = 5.0
LOSS_WEIGHTS = {"loss_box_reg": 2.0, "loss_mask": 1.5}
TRAIN_SCENES = 12_000  # seeds 0 ..
VALIDATION_SEED = 1_000_000
VALIDATION_SCENES = 200
LOG_EVERY = 50


def descend_gently(done: float) -> float:
    """The first 40% of half a cosine: 1 to 0.66."""
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * 0.4 * done))


def descend_to_zero(done: float) -> float:
    return 1 - done


@dataclass(frozen=True)
class Stage:
    steps: int
    resolutions_px: tuple[int, ...]  # shortest edge; equal shares of the steps
    peak_learning_rate: float
    warmup_steps: int
    descent: Callable[[float], float]  # share of the stage that is done, 0..1 -> share of the peak
    ema_decay: float
    seed: int

    def learning_rate(self, step: int) -> float:
        warmup = min(1.0, (step + 1) / self.warmup_steps)
        return self.peak_learning_rate * warmup * self.descent(step / self.steps)

    def resolution_px(self, step: int) -> int:
        return self.resolutions_px[step * len(self.resolutions_px) // self.steps]


STAGES = (
    Stage(2080, (192, 224), 2e-3, warmup_steps=300, descent=descend_gently, ema_decay=0.998, seed=0),
    Stage(700, (320,), 1.1e-3, warmup_steps=40, descent=descend_to_zero, ema_decay=0.995, seed=77),
)


def run_in_bfloat16(module: nn.Module) -> None:
    """Run `module` under bfloat16 autocast and hand float32 on: box arithmetic needs the whole mantissa."""
    forward = module.forward

    def to_float(value):
        if isinstance(value, Tensor):
            return value.float()
        if isinstance(value, dict):
            return {key: to_float(item) for key, item in value.items()}
        return [to_float(item) for item in value] if isinstance(value, list) else tuple(map(to_float, value))

    def autocast_forward(*args):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            result = forward(*args)
        return to_float(result)

    module.forward = autocast_forward


def batches(sizes: list[tuple[int, int]], batch: int, order: random.Random) -> Iterator[list[int]]:
    """Endless batches of scene indices, each of scenes of like shape, so that little is padded."""
    landscape = [i for i, (height, width) in enumerate(sizes) if width >= height]
    portrait = [i for i, (height, width) in enumerate(sizes) if width < height]
    while True:
        epoch = []
        for group in (landscape, portrait):
            order.shuffle(group)
            for start in range(0, len(group), 32 * batch):
                chunk = sorted(group[start:start + 32 * batch], key=lambda i: sizes[i][1] / sizes[i][0])
                epoch += [chunk[k:k + batch] for k in range(0, len(chunk) - batch + 1, batch)]
        order.shuffle(epoch)
        yield from epoch


def augment(image: np.ndarray, instance_map: np.ndarray) -> tuple[Tensor, dict[str, Tensor]]:
    """Mirror, turn upside down, permute colour channels, change contrast and brightness."""
    if random.random() < 0.5:
        image, instance_map = image[:, ::-1], instance_map[:, ::-1]
    if random.random() < 0.5:
        image, instance_map = image[::-1], instance_map[::-1]
    pixels = image_tensor(image)
    if random.random() < 0.5:
        pixels = pixels[torch.randperm(3)]
    pixels = (pixels * random.uniform(0.8, 1.2) + random.uniform(-0.08, 0.08)).clamp(0, 1)
    return pixels, instance_target(np.ascontiguousarray(instance_map))


def average_gradients(parameters: list[nn.Parameter]) -> None:
    flat = torch.cat([p.grad.reshape(-1) for p in parameters])
    dist.all_reduce(flat)
    flat /= WORKERS
    for parameter, gradient in zip(parameters, flat.split([p.numel() for p in parameters])):
        parameter.grad.copy_(gradient.view_as(parameter))


def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, value in zip(average.state_dict().values(), model.state_dict().values()):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)


def share_weights(average: nn.Module) -> None:
    """Worker 0 keeps the average; the next stage starts from it in every worker."""
    for value in average.state_dict().values():
        dist.broadcast(value, src=0)


def train_worker(rank: int, rendezvous: str, output: Path, stages: tuple[Stage, ...], bfloat16: bool) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=WORKERS)
    losses.install()
    torch.manual_seed(stages[0].seed)
    average = build_model().eval()
    for stage in stages:
        train_stage(rank, stage, average, output, bfloat16)
        share_weights(average)
        if rank == 0:
            torch.save(average.state_dict(), output / "model.pth")
            validation = list(SceneStore(output / "validation"))
            log(output, **evaluate(average, validation, ground_truth(validation)))
        dist.barrier()
    dist.destroy_process_group()


def train_stage(rank: int, stage: Stage, average: nn.Module, output: Path, bfloat16: bool) -> None:
    """Trains a copy of `average`, and on worker 0 keeps `average` as the copy's moving average."""
    model = copy.deepcopy(average).to(memory_format=torch.channels_last)
    parameters = list(model.parameters())
    if bfloat16:
        for module in (model.backbone, model.rpn.head, model.roi_heads.box_head,
                       model.roi_heads.mask_head, model.roi_heads.mask_predictor):
            run_in_bfloat16(module)
    optimizer = torch.optim.AdamW([
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ])
    torch.manual_seed(stage.seed + 1 + rank)
    random.seed(stage.seed + 1 + rank)
    store = SceneStore(output / "train")
    indices = batches(store.sizes, BATCH_PER_WORKER * WORKERS, random.Random(stage.seed))
    started, running = time.monotonic(), {}
    for step in range(stage.steps):
        resolution = stage.resolution_px(step)
        model.transform.min_size, model.transform.max_size = (resolution,), resolution * 3 // 2
        for group in optimizer.param_groups:
            group["lr"] = stage.learning_rate(step)
        images, targets = zip(*(augment(*store[i]) for i in next(indices)[rank::WORKERS]))
        model.train()
        parts = model(list(images), list(targets))
        loss = sum(LOSS_WEIGHTS.get(name, 1.0) * value for name, value in parts.items())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(parameters)
        nn.utils.clip_grad_norm_(parameters, MAX_GRADIENT_NORM)
        optimizer.step()
        if rank != 0:
            continue
        update_average(average, model, min(stage.ema_decay, (1 + step) / (10 + step)))
        for name, value in parts.items():
            running[name] = running.get(name, 0.0) + value.item() / LOG_EVERY
        if (step + 1) % LOG_EVERY == 0:
            seconds = time.monotonic() - started
            log(output, step=step + 1, px=resolution, minutes=round(seconds / 60, 1),
                imagesPerSecond=round((step + 1) * BATCH_PER_WORKER * WORKERS / seconds, 1),
                **{name: round(value, 4) for name, value in running.items()})
            running = {}


def log(output: Path, **entry) -> None:
    line = json.dumps(entry)
    print(line, flush=True)
    with open(output / "log.jsonl", "a") as file:
        file.write(line + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for scenes, log.jsonl and model.pth")
    parser.add_argument("--share", type=float, default=1.0, help="share of each stage's steps, for a try (default: all)")
    parser.add_argument("--scenes", type=int, default=TRAIN_SCENES, help="generated training scenes (default: %(default)s)")
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction,
                        default=torch.ops.mkldnn._is_mkldnn_bf16_supported(),
                        help="convolutions in bfloat16 (default: where the processor has AVX512)")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    write_scene_store(args.output / "train", range(args.scenes))
    write_scene_store(args.output / "validation", range(VALIDATION_SEED, VALIDATION_SEED + VALIDATION_SCENES))
    stages = tuple(replace(stage, steps=max(1, round(stage.steps * args.share))) for stage in STAGES)
    rendezvous = (Path(tempfile.mkdtemp()) / "rendezvous").as_uri()
    mp.spawn(train_worker, (rendezvous, args.output, stages, args.bfloat16), nprocs=WORKERS)


if __name__ == "__main__":
    main()
