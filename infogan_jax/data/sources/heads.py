"""Rendered heads: 20,000 pictures of 32 x 32 pixels, gray, each of another person.

The factors are those that the paper shows on rendered faces (Chen et al. 2016,
figure 3): azimuth, elevation, the direction of the light, and wide or narrow. Sixteen
further numbers make the person and the brightness of the lamp. Every picture is drawn
by this project; nothing is downloaded.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.data.sources import scenes
from infogan_jax.data.sources.scenes import Factor, Given, Scene
from infogan_jax.data.sources.signed_distance import (
    Camera,
    Points,
    Values,
    View,
    ball,
    blend,
    capsule,
    carve,
    ellipsoid,
    join,
    mix,
    picture,
)

FACTORS = (
    Factor("azimuth", 20, -90.0, 90.0),  # degrees, positive: it faces to the right
    Factor("elevation", 10, -30.0, 30.0),  # degrees, of the camera
    Factor("light", 10, -60.0, 60.0),  # degrees, positive: from the right
    Factor("width", 10, 0.7, 1.4),  # of the head, in the mean head's
)
NUMBERS = {
    "skull_width": (0.49, 0.52),
    "skull_height": (0.50, 0.58),
    "skull_depth": (0.56, 0.66),
    "jaw_width": (0.34, 0.40),
    "jaw_height": (-0.74, -0.60),
    "chin": (0.09, 0.14),
    "nose_length": (0.14, 0.24),
    "nose_size": (0.62, 0.71),
    "eyes_apart": (0.165, 0.215),
    "brow": (0.045, 0.075),
    "mouth_width": (0.11, 0.18),
    "ears": (0.12, 0.18),
    "hair_line": (0.30, 0.52),
    "hair_tone": (0.05, 0.30),
    "skin_tone": (0.68, 0.88),
    "lamp": (0.80, 1.00),
}
CAMERA = Camera(32, 6.0, 1.05, 1.25, steps=32, background=0.0)


def load(request: Request) -> Dataset:
    """Loads the heads, as `scenes.load` does."""
    return scenes.load(SCENE, request)


def draw(given: Given) -> Float[Array, "size size"]:
    """Draws a head of the given factors and numbers."""
    view = View(
        given["azimuth"], given["elevation"], given["light"], 25.0, 0.30, given["lamp"]
    )
    return picture(
        lambda points: head(given, points),
        lambda points: albedo(given, points),
        view,
        CAMERA,
    )


SCENE = Scene("heads", 1, CAMERA.size, FACTORS, NUMBERS, draw)


def head(given: Given, points: Points) -> Values:
    """Returns the distance from a head, whose two sides mirror each other."""
    x, y, z = points = _one_side(given, points)
    wide, tall, deep = (given[f"skull_{axis}"] for axis in ("width", "height", "depth"))
    jaw, chin, low = given["jaw_width"], given["chin"], given["jaw_height"]
    skull = ellipsoid(x, y - 0.22, z + 0.10, wide, tall, deep)
    face = ellipsoid(x, y + 0.16, z - 0.14, jaw + 0.04, 0.50, 0.38)
    solid = join(skull, face, 0.12)
    corner = jaw - 0.03, -0.34, 0.0
    solid = join(
        solid, capsule(points, (0.0, low + chin, 0.42), corner, chin, 0.07), 0.16
    )
    solid = join(solid, ball(points, (0.25, -0.13, 0.36), 0.10), 0.14)  # cheek
    solid = _with_eyes(given, points, solid)
    solid = _with_nose_and_mouth(given, points, solid)
    hair = ellipsoid(x, y - 0.23, z + 0.12, wide + 0.035, tall + 0.035, deep + 0.03)
    solid = jnp.minimum(solid, jnp.maximum(hair, _below_hair(given, points)))
    solid = join(solid, _ear(given, points), 0.04)
    neck = capsule(points, (0.0, -0.40, -0.14), (0.0, -0.70, -0.16), 0.25, 0.26)
    solid = join(solid, jnp.maximum(neck, -0.86 - y), 0.08)
    return 0.85 * jnp.minimum(given["width"], 1.0) * solid  # not a true distance


def albedo(given: Given, points: Points) -> Values:
    """Returns how bright skin, hair, brows, eyes and lips are."""
    x, y, z = points = _one_side(given, points)
    apart, skin, hair = given["eyes_apart"], given["skin_tone"], given["hair_tone"]
    is_hair = blend(-0.02, 0.02, -_below_hair(given, points))
    above = ellipsoid(
        x,
        y - 0.23,
        z + 0.12,
        given["skull_width"] + 0.02,
        given["skull_height"] + 0.02,
        given["skull_depth"] + 0.015,
    )
    tone = mix(skin, hair, is_hair * blend(0.0, 0.015, above))
    side = x - apart
    opening = 0.05 + 0.25 * side * (0.12 - side) - jnp.abs(y + 0.02)
    eye = blend(0.0, 0.02, opening) * blend(0.0, 0.012, 0.094 - _eye(given, points))
    tone = mix(tone, 0.6 * skin + 0.35, eye)
    pupil = jnp.sqrt(side**2 + (y + 0.015) ** 2)
    tone = mix(tone, 0.03, eye * blend(0.0, 0.02, 0.052 - pupil))
    brow = blend(0.0, 0.02, 0.03 - jnp.abs(y - 0.12 + side**2))
    brow = brow * blend(0.0, 0.03, 0.11 - jnp.abs(side)) * blend(0.30, 0.35, z)
    tone = mix(tone, hair + 0.03, 0.9 * brow)
    lips = 0.05 - 0.06 * x / given["mouth_width"] - jnp.abs(y + 0.405)
    lips = blend(0.0, 0.02, lips + 0.02) * blend(0.40, 0.44, z)
    lips = lips * blend(0.0, 0.03, given["mouth_width"] + 0.02 - x)
    return mix(tone, 0.5 * skin, lips)


def _one_side(given: Given, points: Points) -> Points:
    x, y, z = points
    return jnp.stack([jnp.abs(x) / given["width"], y, z])


def _eye(given: Given, points: Points) -> Values:
    """Returns the distance from the middle of the eyeball."""
    return ball(points, (given["eyes_apart"], -0.015, 0.40), 0.0)


def _with_eyes(given: Given, points: Points, solid: Values) -> Values:
    apart, brow = given["eyes_apart"], given["brow"]
    start, end = (0.04, 0.09, 0.50), (apart + 0.10, 0.10, 0.38)
    solid = join(solid, capsule(points, start, end, brow, 0.8 * brow), 0.06)
    solid = carve(solid, ball(points, (apart, -0.02, 0.58), 0.115), 0.07)
    return join(solid, _eye(given, points) - 0.085, 0.02)


def _with_nose_and_mouth(given: Given, points: Points, solid: Values) -> Values:
    low, tip = -given["nose_length"], given["nose_size"]
    end = 0.0, low + 0.02, tip - 0.055
    solid = join(solid, capsule(points, (0.0, 0.07, 0.47), end, 0.04, 0.055), 0.07)
    solid = join(solid, ball(points, (0.06, low, 0.52), 0.052), 0.05)
    wide = given["mouth_width"]
    upper = (0.0, -0.365, 0.495), (wide, -0.36, 0.43)
    lower = (0.0, -0.445, 0.485), (0.75 * wide, -0.42, 0.43)
    solid = join(solid, capsule(points, *upper, 0.045, 0.018), 0.03)
    return join(solid, capsule(points, *lower, 0.045, 0.020), 0.03)


def _ear(given: Given, points: Points) -> Values:
    x, y, z = points
    x, tall = x - given["skull_width"], given["ears"]
    ear = ellipsoid(x - 0.015, y + 0.06, z + 0.04 - 0.25 * x, 0.055, tall, 0.095)
    hollow = ellipsoid(x - 0.06, y + 0.04, z, 0.04, 0.6 * tall, 0.05)
    return carve(ear, hollow, 0.03)


def _below_hair(given: Given, points: Points) -> Values:
    """Returns a number that is negative where hair grows."""
    _, y, z = points
    front = given["hair_line"] - y + 0.15 * jnp.abs(z)
    side = z + 0.06 + 0.45 * (y - 0.1)
    return jnp.maximum(join(front, side, 0.22), -0.40 - y)
