"""Write the demo images: generated scenes in every kind of file that a dataset may hold, and three broken files.

    python -m millrace_export.demos.id_cards.examples --output examples/images

The scenes' seeds are used by neither training nor validation. What each file is for: examples/README.md.
"""

import argparse
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .scenes import scene

FIRST_SEED = 2_000_000
EXIF_ORIENTATION = 0x0112

# How a camera that was held so stores the picture: what undoes the EXIF orientation.
STORED = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,  # Pillow turns counter-clockwise
    8: Image.Transpose.ROTATE_270,
}

Encoder = Callable[[np.ndarray], bytes]  # of an image [H, W, 3] uint8 RGB


def encode_with_pillow(image: Image.Image, file_format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def encode(pixels: np.ndarray, file_format: str, mode: str = "RGB", **options) -> bytes:
    return encode_with_pillow(Image.fromarray(pixels).convert(mode), file_format, **options)


jpeg = partial(encode, file_format="JPEG", quality=85)


def rotated_jpeg(pixels: np.ndarray, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    return encode_with_pillow(Image.fromarray(pixels).transpose(STORED[orientation]), "JPEG", quality=85, exif=exif)


def cmyk_jpeg(pixels: np.ndarray) -> bytes:
    """Black ink stands for most of what the three colours have in common, as in a file for print."""
    ink = 255.0 - pixels
    black = 0.8 * ink.min(axis=2, keepdims=True)
    cmyk = np.concatenate([255 * (ink - black) / (255 - black), black], axis=2).round().astype(np.uint8)
    height, width = pixels.shape[:2]
    return encode_with_pillow(Image.frombytes("CMYK", (width, height), cmyk.tobytes()), "JPEG", quality=85)


def rgba_png(pixels: np.ndarray) -> bytes:
    """Transparent outside a rounded frame, the scene complete below: blending it would lose the border."""
    height, width = pixels.shape[:2]
    radius = min(height, width) // 6
    y, x = np.mgrid[:height, :width]
    beyond_y = np.maximum(radius - np.minimum(y, height - 1 - y), 0)
    beyond_x = np.maximum(radius - np.minimum(x, width - 1 - x), 0)
    opacity = np.clip(radius - np.hypot(beyond_x, beyond_y) + 0.5, 0, 1)
    return encode(np.dstack([pixels, (255 * opacity).astype(np.uint8)]), "PNG", mode="RGBA")


def png_16_bit(pixels: np.ndarray, gray: bool) -> bytes:
    """Samples of 8 bits times 257, so that 0 stays black and 255 becomes 65535; gray in 16-bit precision."""
    deep = pixels[..., ::-1].astype(np.uint16) * 257  # OpenCV's order, B G R
    return cv2.imencode(".png", cv2.cvtColor(deep, cv2.COLOR_BGR2GRAY) if gray else deep)[1].tobytes()


def palette_png(pixels: np.ndarray) -> bytes:
    return encode_with_pillow(Image.fromarray(pixels).quantize(256), "PNG")


# file: seed after the first, scale of the scene, encoder
SCENES: dict[str, tuple[int, float, Encoder]] = {
    "desk/248-px.jpg": (49, 1.0, jpeg),
    "desk/chequered.jpg": (7, 3.0, jpeg),
    "desk/cut-off.jpg": (99, 2.0, jpeg),
    "desk/five-cards.jpg": (36, 2.6, jpeg),
    "desk/four-cards.jpg": (41, 2.4, jpeg),
    "desk/large-cards.jpg": (43, 4.0, jpeg),
    "desk/no-card.jpg": (30, 2.5, jpeg),
    "desk/one-card.jpg": (104, 4.6, jpeg),
    "desk/small-cards.jpg": (54, 2.0, jpeg),
    "desk/stack-of-five.jpg": (77, 3.0, jpeg),
    "desk/three-cards.jpg": (46, 3.6, jpeg),
    "desk/two-cards.jpg": (1, 3.5, jpeg),
    "entrance/monday/card.jpg": (55, 2.5, jpeg),
    "entrance/tuesday/card.jpg": (68, 2.0, jpeg),
    "formats/cmyk.jpg": (65, 2.0, cmyk_jpeg),
    "formats/gray-16-bit.png": (37, 1.2, partial(png_16_bit, gray=True)),
    "formats/grayscale.jpg": (21, 2.2, partial(jpeg, mode="L")),
    "formats/lossless.webp": (17, 1.0, partial(encode, file_format="WEBP", lossless=True)),
    "formats/lossy.webp": (44, 2.0, partial(encode, file_format="WEBP", quality=85)),
    "formats/lzw.tiff": (13, 1.0, partial(encode, file_format="TIFF", compression="tiff_lzw")),
    "formats/palette.png": (98, 1.5, palette_png),
    "formats/photo.avif": (71, 2.5, partial(encode, file_format="AVIF", quality=75)),
    "formats/progressive.jpg": (94, 3.0, partial(jpeg, progressive=True)),
    "formats/rgb-16-bit.png": (85, 1.0, partial(png_16_bit, gray=False)),
    "formats/rgba.png": (25, 1.3, rgba_png),
    "formats/still.gif": (88, 1.2, partial(encode, file_format="GIF")),
    "names/Ausweise für Jörg + Zoë.jpg": (110, 2.2, jpeg),
    "orientation/portrait.jpg": (61, 2.8, partial(rotated_jpeg, orientation=6)),
    "orientation/turned-left.jpg": (95, 2.4, partial(rotated_jpeg, orientation=8)),
    "orientation/upside-down.jpg": (106, 2.0, partial(rotated_jpeg, orientation=3)),
}


def broken_files() -> dict[str, bytes]:
    """One file for each of three ways to fail."""
    whole = jpeg(scene(FIRST_SEED + 12)[0])
    return {
        "broken/empty.jpg": b"",
        "broken/text.jpg": b"This is a text that somebody has named like an image.\n",
        "broken/truncated.jpg": whole[:len(whole) * 6 // 10],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for the images")
    args = parser.parse_args()
    for name, (seed, scale, encoder) in SCENES.items():
        write(args.output / name, encoder(scene(FIRST_SEED + seed, scale)[0]))
    for name, content in broken_files().items():
        write(args.output / name, content)


def write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


if __name__ == "__main__":
    main()
