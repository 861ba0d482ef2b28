"""The face of one made-up ID card: header, portrait, lines of text, and now and then a guilloche, a chip or a seal."""

import numpy as np
from numpy.random import Generator

from .canvas import Canvas, Color, random_hsv

GOLD = (212, 175, 60)
NEARLY_WHITE = (250, 250, 250)


def draw_card(rng: Generator, width: int, height: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """A card of scale * width x scale * height pixels: its face [H, W, 3] RGB, and its shape [H, W], 255 on the card."""
    canvas = Canvas(_gradient(rng, round(width * scale), round(height * scale)), scale)
    if rng.random() < 0.4:
        _guilloche(rng, canvas, width, height)
    header = int(height * rng.uniform(0.14, 0.26))
    canvas.rectangle((0, 0), (width, header), random_hsv(rng, (0.4, 1), (0.25, 0.9)))
    _text_lines(rng, canvas, (int(width * rng.uniform(0.04, 0.3)), header // 4), (int(width * 0.9), header),
                NEARLY_WHITE, max(4, header // 2))

    margin = int(width * 0.05)
    photo_width = int(width * rng.uniform(0.22, 0.32))
    photo_height = int(min(photo_width * 1.28, height - header - height * 0.1))
    photo_is_left = rng.random() < 0.65
    photo_x = margin if photo_is_left else width - photo_width - margin
    photo_y = header + int((height - header - photo_height) * rng.uniform(0.2, 0.6))
    _portrait(rng, canvas, photo_x, photo_y, photo_width, photo_height)

    left = photo_x + photo_width + margin if photo_is_left else margin
    right = int(width * 0.96) if photo_is_left else photo_x - margin
    _text_lines(rng, canvas, (left, header + int(height * 0.07)), (right, int(height * 0.95)),
                random_hsv(rng, (0, 0.6), (0.05, 0.4)))
    if rng.random() < 0.3:
        canvas.rectangle((right - int(width * 0.13), int(height * 0.6)), (right, int(height * 0.78)), GOLD)
    if rng.random() < 0.3:
        seal = int(rng.uniform(left, right)), int(height * rng.uniform(0.4, 0.85))
        canvas.circle(seal, int(height * 0.1), random_hsv(rng, (0.4, 1), (0.4, 0.9)), thickness=2)
    radius = max(2, int(height * rng.uniform(0.04, 0.09)))
    return canvas.pixels, _rounded_rectangle(width, height, radius, scale)


def _gradient(rng: Generator, width: int, height: int) -> np.ndarray:
    """[height, width, 3] from one pale colour to another, in any direction."""
    first = np.array(random_hsv(rng, (0.02, 0.35), (0.7, 1)), np.float32)
    second = np.array(random_hsv(rng, (0.02, 0.4), (0.65, 1)), np.float32)
    across = np.linspace(0, 1, width)[None, :, None] * rng.uniform(-1, 1)
    down = np.linspace(0, 1, height)[:, None, None] * rng.uniform(-1, 1)
    share = np.clip(across + down + 0.5, 0, 1)
    return np.ascontiguousarray((first * (1 - share) + second * share).astype(np.uint8))


def _guilloche(rng: Generator, canvas: Canvas, width: int, height: int) -> None:
    color = random_hsv(rng, (0.1, 0.4), (0.6, 0.9))
    x = np.arange(0, width, 4)
    for k in range(int(rng.integers(3, 9))):
        y = height * (k + 0.5) / 8 + height * 0.06 * np.sin(x * rng.uniform(0.02, 0.08) + k)
        canvas.curve(np.stack([x, y], 1).astype(np.int32), color, 1)


def _portrait(rng: Generator, canvas: Canvas, x: int, y: int, width: int, height: int) -> None:
    """Shoulders, hair and face on a plain ground."""
    canvas.rectangle((x, y), (x + width, y + height), random_hsv(rng, (0.02, 0.4), (0.5, 1)))
    skin = random_hsv(rng, (0.3, 0.6), (0.3, 0.95))
    photo, middle = canvas.crop(x, y, width, height), width // 2
    photo.ellipse((middle, height), (int(width * 0.45), int(height * 0.33)), random_hsv(rng, (0.2, 1), (0.15, 0.8)))
    photo.ellipse((middle, int(height * 0.42)), (int(width * 0.27), int(height * 0.3)),
                  random_hsv(rng, (0.1, 0.7), (0.05, 0.5)))
    photo.ellipse((middle, int(height * 0.47)), (int(width * 0.22), int(height * 0.25)), skin)


def _text_lines(rng: Generator, canvas: Canvas, top_left: tuple[int, int], bottom_right: tuple[int, int],
                color: Color, line_height: int | None = None) -> None:
    """Lines of capitals, or of bars that look like words too small to read."""
    (left, y), (right, bottom) = top_left, bottom_right
    line_height = line_height or int(rng.integers(5, 10))
    while y + line_height <= bottom:
        if rng.random() < 0.35:
            letters = "".join(chr(rng.integers(65, 91)) for _ in range(rng.integers(4, 14)))
            canvas.text(letters, (left, y + line_height - 1), line_height / 24, color, 1)
        else:
            x, end = left, left + int((right - left) * rng.uniform(0.35, 1))
            while x < end:
                word = int(rng.integers(6, 28))
                canvas.rectangle((x, y), (min(x + word, end), y + max(1, line_height // 2)), color)
                x += word + 4
        y += line_height + int(rng.integers(2, 7))


def _rounded_rectangle(width: int, height: int, radius: int, scale: float) -> np.ndarray:
    canvas = Canvas(np.zeros((round(height * scale), round(width * scale)), np.uint8), scale)
    right, bottom = width - 1, height - 1
    canvas.rectangle((radius, 0), (right - radius, bottom), 255)
    canvas.rectangle((0, radius), (right, bottom - radius), 255)
    for x in (radius, right - radius):
        for y in (radius, bottom - radius):
            canvas.circle((x, y), radius, 255, smooth=False)
    return canvas.pixels
