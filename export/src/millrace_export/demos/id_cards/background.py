"""What lies below, between and above the cards: table tops, papers, coins, shapes, writing, pens."""

import cv2
import numpy as np
from numpy.random import Generator

from .canvas import Canvas, Color, random_color, random_hsv

RULES = (60, 60, 80)  # of ruled paper


def draw_background(rng: Generator, width: int, height: int, scale: float) -> np.ndarray:
    """[scale * height, scale * width, 3] RGB: two colours, mixed by clouds, wood, stripes or squares, or not at all."""
    size = round(width * scale), round(height * scale)
    kind = rng.integers(0, 5)
    first, second = (np.array(random_hsv(rng, (0, 0.7), (0.1, 0.95)), np.float32) for _ in range(2))
    if kind == 0:
        coarse = rng.random((int(rng.integers(2, 9)), int(rng.integers(2, 9))), dtype=np.float32)
        share = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    elif kind == 1:
        grain = rng.random((height // int(rng.integers(2, 5)) + 1, int(rng.integers(1, 4))), dtype=np.float32)
        share = cv2.resize(grain, size, interpolation=cv2.INTER_LINEAR)
    elif kind == 2:
        share = _stripes_or_squares(rng, size, scale)
    elif kind == 3:
        share = np.full(size[::-1], 0.5, np.float32)
    else:
        octaves = (cv2.resize(rng.random((2 ** i * 2, 2 ** i * 2), dtype=np.float32), size) / 1.6 ** i
                   for i in range(1, 6))
        share = sum(octaves)
        share = (share - share.min()) / (np.ptp(share) + 1e-6)
    if rng.random() < 0.4:
        second = first + (second - first) * 0.25
    return np.clip(first + (second - first) * share[..., None], 0, 255).astype(np.uint8)


def _stripes_or_squares(rng: Generator, size: tuple[int, int], scale: float) -> np.ndarray:
    period, angle = int(rng.integers(6, 40)), rng.uniform(0, 3.14)
    y, x = (np.mgrid[:size[1], :size[0]] + 0.5) / scale - 0.5
    along = x * np.cos(angle) + y * np.sin(angle)
    across = -x * np.sin(angle) + y * np.cos(angle)
    index = along // period + (across // period if rng.random() < 0.5 else 0)
    return (index % 2).astype(np.float32) * rng.uniform(0.2, 1)


def draw_clutter(rng: Generator, canvas: Canvas, width: int, height: int, things: int) -> None:
    """Things that are no cards, some of them shaped like one."""
    for _ in range(things):
        color = random_color(rng)
        kind = rng.integers(0, 8)
        x, y = int(rng.uniform(-0.1, 1.1) * width), int(rng.uniform(-0.1, 1.1) * height)
        size = rng.uniform(0.05, 0.4) * min(height, width)
        if kind <= 1:
            _paper(rng, canvas, x, y, size, color)
        elif kind == 2:
            canvas.circle((x, y), int(size * 0.5), color)
            canvas.circle((x, y), int(size * 0.4), random_color(rng), thickness=int(rng.integers(1, 4)))
        elif kind == 3:
            degrees = rng.uniform(0, 180)
            thickness = cv2.FILLED if rng.random() < 0.5 else 2
            canvas.ellipse((x, y), (int(size * 0.6), int(size * 0.3)), color, degrees, thickness, smooth=True)
        elif kind == 4:
            draw_pen(rng, canvas, None, x, y, size)
        elif kind == 5:
            corners = np.array([x, y]) + rng.normal(0, size * 0.5, (int(rng.integers(3, 7)), 2))
            canvas.polygon(corners.astype(np.int32), color)
        elif kind == 6:
            letters = "".join(chr(rng.integers(48, 91)) for _ in range(rng.integers(3, 12)))
            canvas.text(letters, (x, y), rng.uniform(0.3, 1.2), color, int(rng.integers(1, 3)))
        else:
            end = int(rng.uniform(0, width)), int(rng.uniform(0, height))
            canvas.line((x, y), end, color, int(rng.integers(1, 5)))


def _paper(rng: Generator, canvas: Canvas, x: int, y: int, size: float, color: Color) -> None:
    """A sheet of a card's, a page's or another shape, at times ruled: what a detector must learn to leave alone."""
    aspect = rng.choice([1.59, 1.41, 1.0, 2.2])
    corners = cv2.boxPoints(((x, y), (size * aspect, size), rng.uniform(0, 180))).astype(np.int32)
    canvas.polygon(corners, color if rng.random() < 0.5 else random_hsv(rng, (0, 0.2), (0.75, 1)))
    if rng.random() < 0.4:
        for down in np.linspace(0.15, 0.85, int(rng.integers(3, 8))):
            left = corners[0] * (1 - down) + corners[1] * down
            right = corners[3] * (1 - down) + corners[2] * down
            length = rng.uniform(0.4, 0.9)
            canvas.line((left * 0.92 + right * 0.08).astype(int).tolist(),
                        (left * (1 - length) + right * length).astype(int).tolist(), RULES, 1)


def draw_pen(rng: Generator, canvas: Canvas, instances: Canvas | None, x: float, y: float, size: float) -> None:
    """A pen from (x, y); in the instance map it becomes background."""
    angle, length = rng.uniform(0, 6.28), size * rng.uniform(1.2, 2.2)
    direction = np.array([np.cos(angle), np.sin(angle)])
    thickness, color = int(rng.integers(4, 10)), random_color(rng)
    start, origin = (int(x), int(y)), np.array([x, y])
    neck = tuple((origin + direction * length).astype(int).tolist())
    tip = tuple((origin + direction * length * 1.12).astype(int).tolist())
    canvas.line(start, neck, color, thickness)
    canvas.line(neck, tip, random_color(rng), max(1, thickness // 2))
    if instances is not None:
        instances.line(start, neck, 0, thickness, smooth=False)
        instances.line(neck, tip, 0, max(1, thickness // 2), smooth=False)
