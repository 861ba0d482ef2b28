"""Golden pixels for decoding: what Pillow makes of every kind of image file.

    python test/golden/make_decode_goldens.py

Writes small images of each kind to data/decode/files, and data/decode/goldens.json: for each of them, and for each demo
image, its upright size and its RGB pixels as `ImageOps.exif_transpose(image).convert("RGB")` gives them: a hash, and the
mean of each channel. Of lossy formats, whose decoders may differ by a grey level, the small images' pixels themselves
are kept in data/decode/reference.
Written with Pillow 13.0.0, NumPy 2.4.6 and OpenCV 5.0.0.
"""

import hashlib
import io
import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageCms, ImageOps

DATA = Path(__file__).parent / "data" / "decode"
EXAMPLES = Path(__file__).parents[2] / "examples" / "images"
WIDTH, HEIGHT = 45, 31  # no multiples of a JPEG's blocks: the last ones are cut
EXIF_ORIENTATION = 0x0112
LOSSY = (".jpg", ".avif", "jpeg.tiff", "lossy.webp")


def picture() -> Image.Image:
    """Gradients, hard coloured edges and noise; no two orientations of it are alike."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    pixels = np.stack([x * 5, y * 8, (x * 3 + y * 2) % 256], -1) + rng.normal(0, 5, (HEIGHT, WIDTH, 3))
    pixels[5:17, 8:24] = 220, 40, 60
    pixels[14:27, 20:38] = 20, 90, 200
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def saved(image: Image.Image, file_format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def profile_with_red_and_blue_swapped() -> bytes:
    """sRGB's profile, its red and blue primaries exchanged: applied, it could not be overlooked."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # the time it was made
    tags = {}
    for index in range(struct.unpack(">I", profile[128:132])[0]):
        at = 132 + 12 * index
        tags[bytes(profile[at:at + 4])] = at
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    profile[red:red + 4], profile[blue:blue + 4] = profile[blue:blue + 4], profile[red:red + 4]
    return bytes(profile)


def with_orientation(image: Image.Image, orientation: int, file_format: str, **options) -> bytes:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    return saved(image, file_format, exif=exif, **options)


def without_adobe_marker(jpeg: bytes) -> bytes:
    marker = jpeg.index(b"\xff\xee")
    return jpeg[:marker] + jpeg[marker + 2 + int.from_bytes(jpeg[marker + 2:marker + 4], "big"):]


def as_ycck(jpeg: bytes) -> bytes:
    """A CMYK JPEG whose Adobe marker says that its samples are YCCK; the picture turns strange, but is defined."""
    transform = jpeg.index(b"Adobe") + 11
    return jpeg[:transform] + b"\x02" + jpeg[transform + 1:]


def gray_16_bit(file: bytes) -> np.ndarray:
    """Pillow clips 16-bit gray; Millrace keeps the upper byte, as Pillow does for colour. [H, W, 3]"""
    samples = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    return np.repeat((samples[..., None] >> 8).astype(np.uint8), 3, axis=2)


def files() -> dict[str, bytes]:
    rgb = picture()
    gray = rgb.convert("L")
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    alpha = Image.fromarray((x * 5).astype(np.uint8))
    rgba = Image.merge("RGBA", (*rgb.split(), alpha))
    black = ((y * 6) % 256).astype(np.uint8)
    cmyk = Image.merge("CMYK", (*ImageOps.invert(rgb).split(), Image.fromarray(black)))
    deep = np.asarray(rgba).astype(np.uint16) * 256 + (x * 5)[..., None].astype(np.uint16)
    bgra_16 = deep[..., [2, 1, 0, 3]]
    turned = ImageOps.mirror(rgb)
    profile = profile_with_red_and_blue_swapped()
    cmyk_jpeg = saved(cmyk, "JPEG", quality=92)

    result = {
        "444.jpg": saved(rgb, "JPEG", quality=90, subsampling="4:4:4"),
        "422.jpg": saved(rgb, "JPEG", quality=85, subsampling="4:2:2"),
        "420.jpg": saved(rgb, "JPEG", quality=85, subsampling="4:2:0"),
        "progressive.jpg": saved(rgb, "JPEG", quality=85, progressive=True),
        "gray.jpg": saved(gray, "JPEG", quality=90),
        "profile.jpg": saved(rgb, "JPEG", quality=92, icc_profile=profile),
        "cmyk.jpg": cmyk_jpeg,
        "cmyk-without-adobe-marker.jpg": without_adobe_marker(cmyk_jpeg),
        "ycck.jpg": as_ycck(cmyk_jpeg),
        "rgb.png": saved(rgb, "PNG"),
        "gray.png": saved(gray, "PNG"),
        "gray-alpha.png": saved(Image.merge("LA", (gray, alpha)), "PNG"),
        "gray-transparent.png": saved(gray, "PNG", transparency=gray.getpixel((0, 0))),
        "one-bit.png": saved(gray.convert("1"), "PNG"),
        "rgba.png": saved(rgba, "PNG"),
        "rgb-transparent.png": saved(rgb, "PNG", transparency=(220, 40, 60)),
        "palette.png": saved(rgb.quantize(32), "PNG"),
        "palette-transparent.png": saved(rgb.quantize(16), "PNG", transparency=3),
        "palette-alpha.png": saved(rgba.quantize(32), "PNG"),
        "profile.png": saved(rgb, "PNG", icc_profile=profile),
        "gray-16-bit.png": cv2.imencode(".png", bgra_16[..., 2])[1].tobytes(),
        "rgb-16-bit.png": cv2.imencode(".png", bgra_16[..., :3])[1].tobytes(),
        "rgba-16-bit.png": cv2.imencode(".png", bgra_16)[1].tobytes(),
        "rgb.tiff": saved(rgb, "TIFF"),
        "lzw.tiff": saved(rgb, "TIFF", compression="tiff_lzw"),
        "jpeg.tiff": saved(rgb, "TIFF", compression="jpeg"),
        "gray.tiff": saved(gray, "TIFF"),
        "fax.tiff": saved(gray.convert("1"), "TIFF", compression="group4"),
        "rgba.tiff": saved(rgba, "TIFF"),
        "palette.tiff": saved(rgb.quantize(32), "TIFF"),
        "cmyk.tiff": saved(cmyk, "TIFF"),
        "gray-16-bit.tiff": cv2.imencode(".tiff", bgra_16[..., 2])[1].tobytes(),
        "rgb-16-bit.tiff": cv2.imencode(".tiff", bgra_16[..., :3])[1].tobytes(),
        "pages.tiff": saved(rgb, "TIFF", save_all=True, append_images=[turned]),
        "lossless.webp": saved(rgb, "WEBP", lossless=True),
        "lossy.webp": saved(rgb, "WEBP", quality=85),
        "rgba.webp": saved(rgba, "WEBP", lossless=True, exact=True),
        "animated.webp": saved(rgb, "WEBP", lossless=True, save_all=True, append_images=[turned]),
        "still.gif": saved(rgb.quantize(64), "GIF"),
        "transparent.gif": saved(rgb.quantize(16), "GIF", transparency=3),
        "animated.gif": saved(rgb.quantize(64), "GIF", save_all=True, append_images=[turned], comment=b"two frames"),
        "444.avif": saved(rgb, "AVIF", quality=90, subsampling="4:4:4"),
        "420.avif": saved(rgb, "AVIF", quality=90, subsampling="4:2:0"),
        "rgba.avif": saved(rgba, "AVIF", quality=90, subsampling="4:4:4"),
        "orientation-6.avif": with_orientation(rgb, 6, "AVIF", quality=90, subsampling="4:4:4"),
    }
    for orientation in range(1, 9):
        result[f"orientation-{orientation}.jpg"] = with_orientation(rgb, orientation, "JPEG", quality=90)
        result[f"orientation-{orientation}.png"] = with_orientation(rgb, orientation, "PNG")
        result[f"orientation-{orientation}.webp"] = with_orientation(rgb, orientation, "WEBP", lossless=True)
        result[f"orientation-{orientation}.tiff"] = with_orientation(rgb, orientation, "TIFF")
    return result


def orientation_of(file: bytes) -> int:
    """An AVIF is turned by its container, not by EXIF, though Pillow tells it like that."""
    with Image.open(io.BytesIO(file)) as image:
        return 1 if image.format == "AVIF" else image.getexif().get(EXIF_ORIENTATION, 1)


def decoded(file: bytes) -> np.ndarray:
    """[H, W, 3] uint8 RGB, upright"""
    with Image.open(io.BytesIO(file)) as image:
        if image.mode == "I;16":
            return gray_16_bit(file)
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def golden(file: bytes) -> dict:
    pixels = decoded(file)
    height, width = pixels.shape[:2]
    return {"width": width, "height": height, "orientation": orientation_of(file),
            "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
            "mean": pixels.mean((0, 1)).round(3).tolist()}


def main() -> None:
    goldens: dict[str, dict] = {"files": {}, "examples": {}}
    for folder in ("files", "reference"):
        (DATA / folder).mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (DATA / "files" / name).write_bytes(content)
        goldens["files"][name] = golden(content)
        if name.endswith(LOSSY):
            (DATA / "reference" / f"{name}.rgb.zz").write_bytes(zlib.compress(decoded(content).tobytes(), 9))
    for file in sorted(EXAMPLES.rglob("*")):
        if file.is_file() and file.parent.name != "broken":
            goldens["examples"][file.relative_to(EXAMPLES).as_posix()] = golden(file.read_bytes())
    (DATA / "goldens.json").write_text(json.dumps(goldens) + "\n")


if __name__ == "__main__":
    main()
