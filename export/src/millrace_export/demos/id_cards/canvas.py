"""OpenCV drawing in the units of a small image, whatever the size of the real one, and random colours."""

import cv2
import numpy as np
from numpy.random import Generator

Color = tuple[int, int, int]  # R G B, each 0..255
Point = tuple[float, float]  # x, y in pixels of the unscaled image


def random_color(rng: Generator) -> Color:
    return tuple(int(channel) for channel in rng.integers(0, 256, 3))


def random_hsv(rng: Generator, saturation: tuple[float, float], value: tuple[float, float]) -> Color:
    """Any hue, saturation and value within the given ranges of 0..1."""
    hsv = np.uint8([[[rng.integers(0, 180), int(255 * rng.uniform(*saturation)), int(255 * rng.uniform(*value))]]])
    return tuple(int(channel) for channel in cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0])


class Canvas:
    """Draws on `pixels` [scale * H, scale * W (, 3)] in place; coordinates and thicknesses are those of H x W."""

    def __init__(self, pixels: np.ndarray, scale: float = 1.0) -> None:
        self.pixels = pixels
        self.scale = scale

    def crop(self, x: int, y: int, width: int, height: int) -> "Canvas":
        """The part at (x, y): what is drawn there lands in this canvas, and not outside the part."""
        left, top, right, bottom = (round(edge * self.scale) for edge in (x, y, x + width, y + height))
        return Canvas(self.pixels[top:bottom, left:right], self.scale)

    def rectangle(self, corner: tuple[int, int], opposite: tuple[int, int], color: Color | int) -> None:
        """Filled; both corners' pixels belong to it."""
        first = tuple(round(edge * self.scale) for edge in corner)
        last = tuple(round((edge + 1) * self.scale) - 1 for edge in opposite)
        cv2.rectangle(self.pixels, first, last, color, cv2.FILLED)

    def line(self, start: Point, end: Point, color: Color | int, thickness: int, smooth: bool = True) -> None:
        cv2.line(self.pixels, self._pixel(start), self._pixel(end), color, self._thickness(thickness),
                 cv2.LINE_AA if smooth else cv2.LINE_8)

    def curve(self, points: np.ndarray, color: Color, thickness: int) -> None:
        """A line through points [P, 2]."""
        cv2.polylines(self.pixels, [self._pixels(points)], False, color, self._thickness(thickness), cv2.LINE_AA)

    def polygon(self, points: np.ndarray, color: Color) -> None:
        """Filled, points [P, 2]."""
        cv2.fillPoly(self.pixels, [self._pixels(points)], color, cv2.LINE_AA)

    def circle(self, center: Point, radius: int, color: Color | int, thickness: int = cv2.FILLED,
               smooth: bool = True) -> None:
        cv2.circle(self.pixels, self._pixel(center), round(radius * self.scale), color, self._thickness(thickness),
                   cv2.LINE_AA if smooth else cv2.LINE_8)

    def ellipse(self, center: Point, axes: tuple[int, int], color: Color, degrees: float = 0,
                thickness: int = cv2.FILLED, smooth: bool = False) -> None:
        half_axes = tuple(round(axis * self.scale) for axis in axes)
        cv2.ellipse(self.pixels, self._pixel(center), half_axes, degrees, 0, 360, color, self._thickness(thickness),
                    cv2.LINE_AA if smooth else cv2.LINE_8)

    def text(self, text: str, origin: Point, size: float, color: Color, thickness: int) -> None:
        """`origin`: the left end of the base line; `size` 1 is a font about 22 pixels high."""
        cv2.putText(self.pixels, text, self._pixel(origin), cv2.FONT_HERSHEY_SIMPLEX, size * self.scale, color,
                    self._thickness(thickness), cv2.LINE_AA)

    def _thickness(self, thickness: int) -> int:
        return thickness if thickness == cv2.FILLED else max(1, round(thickness * self.scale))

    def _pixel(self, point: Point) -> tuple[int, int]:
        x, y = (round((coordinate + 0.5) * self.scale - 0.5) for coordinate in point)
        return x, y

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        return ((points + 0.5) * self.scale - 0.5).round().astype(np.int32)
