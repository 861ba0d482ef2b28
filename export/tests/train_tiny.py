"""Train `tiny_model` from scratch on generated scenes: a few minutes on one core.

python tests/train_tiny.py --scenes /tmp/tiny-scenes --output tests/data/tiny-id-cards.pth
"""

import argparse
import copy
import math
import random
import time
from pathlib import Path

import torch
from tiny_model import build_mask_rcnn

from millrace_export.demos.id_cards.dataset import SceneStore, write_scene_store
from millrace_export.demos.id_cards.evaluate import evaluate
from millrace_export.demos.id_cards.train import augment, batches, update_average

SCENES = 3000
VALIDATION_SEED = 2_000_000
VALIDATION_SCENES = 50
BATCH = 8
PEAK_LEARNING_RATE = 4e-3
WARMUP_STEPS = 100
LOG_EVERY = 50


def learning_rate(step: int, steps: int) -> float:
    warmup = min(1.0, (step + 1) / WARMUP_STEPS)
    return PEAK_LEARNING_RATE * warmup * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def train(scenes: Path, output: Path, steps: int, seed: int) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    random.seed(seed)
    store = SceneStore(scenes / "train")
    model = build_mask_rcnn().to(memory_format=torch.channels_last)
    average = copy.deepcopy(model).eval()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.02)
    indices = batches(store.sizes, BATCH, random.Random(seed))
    started, running = time.process_time(), 0.0
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        images, targets = zip(*(augment(*store[i]) for i in next(indices)))
        model.train()
        loss = sum(model(list(images), list(targets)).values())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        update_average(average, model, min(0.998, (1 + step) / (10 + step)))
        running += loss.item() / LOG_EVERY
        if (step + 1) % LOG_EVERY == 0:
            print(f"step {step + 1}  loss {running:.3f}  {time.process_time() - started:.0f} CPU s", flush=True)
            running = 0.0
    weights = {name: value.contiguous() for name, value in average.state_dict().items()}
    torch.save(weights, output)
    print(evaluate(average, list(SceneStore(scenes / "validation"))), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=Path, required=True, help="folder for the generated scenes")
    parser.add_argument("--output", type=Path, required=True, help="the state dict")
    parser.add_argument("--steps", type=int, default=2000, help="optimiser steps of 8 images (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    write_scene_store(args.scenes / "train", range(SCENES), processes=1)
    write_scene_store(
        args.scenes / "validation", range(VALIDATION_SEED, VALIDATION_SEED + VALIDATION_SCENES), processes=1
    )
    train(args.scenes, args.output, args.steps, args.seed)


if __name__ == "__main__":
    main()
