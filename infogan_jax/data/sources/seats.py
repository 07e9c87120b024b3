"""Rendered seats: 20,088 pictures of 64 x 64 pixels, gray on white, all different.

They are chairs, armchairs, stools and benches, seen from 31 sides at two elevations as
those of Aubry et al. 2014, on which the paper shows rotation and width (Chen et al.
2016, figure 4). Further numbers make the seat: legs, back, arms, slats, proportions and
tones. Every picture is drawn by this project; nothing is downloaded.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from infogan_jax.data.dataset import CIRCLE, Dataset, Request
from infogan_jax.data.sources import scenes
from infogan_jax.data.sources.scenes import Factor, Given, Scene
from infogan_jax.data.sources.signed_distance import (
    Camera,
    Points,
    Scalar,
    Values,
    View,
    box,
    capsule,
    cylinder,
    mix,
    picture,
)

KINDS = {"chair": 0.50, "armchair": 0.25, "bench": 0.15, "stool": 0.10}
"""The share of each kind of seat: few look the same from several sides."""

FACTORS = (
    Factor("height", 18, 0.50, 0.88),  # of the seat above the floor
    Factor("width", 18, 0.75, 1.25),  # of the seat, in the mean seat's
    Factor("elevation", 2, 20.0, 30.0, is_continuous=False),  # degrees
    Factor("azimuth", 31, 0.0, 360.0, CIRCLE, is_continuous=False),  # degrees
)
NUMBERS = {
    "kind": (0.0, 1.0),  # among the shares of `KINDS`, one after the other
    "size": (0.0, 1.0),  # of the seat, from the least to the largest of its kind
    "depth": (0.0, 1.0),  # the same
    "thickness": (0.0, 1.0),  # the same
    "corners": (0.01, 0.06),
    "round": (0.0, 1.0),  # above 0.5: a stool with a round seat
    "leg": (0.038, 0.060),
    "splay": (0.0, 0.08),
    "bars": (0.0, 1.0),  # above 0.5: there are bars between the legs
    "back": (0.0, 1.0),  # above 0.2: a bench has one
    "back_height": (0.0, 1.0),  # from the least to the largest of its kind
    "tilt": (0.05, 0.25),
    "style": (0.0, 3.0),  # of the back: a panel, upright slats, level slats
    "slats": (2.0, 5.0),
    "arms": (0.0, 1.0),  # above 0.5: a bench with a back has some
    "arm_height": (0.24, 0.36),
    "seat_tone": (0.25, 0.75),
    "frame_tone": (0.12, 0.55),
}
_HALF_WIDTH = ((0.34, 0.42), (0.42, 0.52), (0.60, 0.74), (0.28, 0.36))
_HALF_DEPTH = ((0.34, 0.42), (0.40, 0.48), (0.26, 0.34), (0.28, 0.36))
_HALF_THICKNESS = ((0.035, 0.07), (0.06, 0.13), (0.035, 0.07), (0.035, 0.08))
_BACK_HEIGHT = ((0.60, 0.84), (0.50, 0.75), (0.40, 0.60), (0.5, 0.5))
"""The least and the largest value of each kind of seat."""

CAMERA = Camera(64, 6.0, 1.15, 1.35, steps=40, background=1.0)

Flag = Bool[Array, ""]

_FLOOR = -0.78
_FAR = 9.0  # where a part is that a seat does not have


def load(request: Request) -> Dataset:
    """Loads the seats, as `scenes.load` does."""
    return scenes.load(SCENE, request)


def draw(given: Given) -> Float[Array, "size size"]:
    """Draws a seat of the given factors and numbers."""
    view = View(given["azimuth"], given["elevation"], -40.0, 50.0, 0.45, 0.6)
    seat = proportions(given)

    def albedo(points: Points) -> Values:
        is_cushion = _cushion(seat, points) < 0.015
        return jnp.where(is_cushion, given["seat_tone"], given["frame_tone"])

    return picture(lambda points: solid(seat, points), albedo, view, CAMERA)


SCENE = Scene("seats", 1, CAMERA.size, FACTORS, NUMBERS, draw)


class Seat(NamedTuple):
    """The proportions of a seat; lengths and places are those of the scene.

    Attributes:
      top: how high the seat is, from the middle of the picture.
      half: half of its width, thickness and depth.
      corner: the radius of its edges.
      is_round: whether it is a disc.
      foot: how far the upper ends of the legs are to the side and to the front.
      leg: the radius of the legs.
      splay: how much further their lower ends are.
      rise: how high the back is above the seat.
      tilt: how much it leans, a slope.
      style: 0, a panel; 1, upright slats; 2, level slats.
      slats: how many.
      arm: how high the arms are above the seat.
      has_bars: whether bars join the legs.
      has_back: whether there is one.
      has_arms: whether there are some.
    """

    top: Scalar
    half: tuple[Scalar, Scalar, Scalar]
    corner: Scalar
    is_round: Flag
    foot: tuple[Scalar, Scalar]
    leg: Scalar
    splay: Scalar
    rise: Scalar
    tilt: Scalar
    style: Scalar
    slats: Scalar
    arm: Scalar
    has_bars: Flag
    has_back: Flag
    has_arms: Flag


def proportions(given: Given) -> Seat:
    """Returns the proportions of a seat of the given factors and numbers."""
    shares = jnp.cumsum(jnp.array([*KINDS.values()]))
    kind = jnp.sum(given["kind"] >= shares[:-1])

    def of_kind(ranges: tuple[tuple[float, float], ...], share: Scalar) -> Scalar:
        low, high = jnp.array(ranges)[kind]
        return mix(low, high, share)

    wide = of_kind(_HALF_WIDTH, given["size"]) * given["width"]
    deep = of_kind(_HALF_DEPTH, given["depth"])
    thick = of_kind(_HALF_THICKNESS, given["thickness"])
    _, armchair, bench, stool = (kind == place for place in range(len(KINDS)))
    is_round = stool & (given["round"] > 0.5)
    deep = jnp.where(is_round, wide, deep)
    inset, leg = jnp.where(is_round, 0.7, 1.0), given["leg"]
    has_back = ~stool & ~(bench & (given["back"] < 0.2))
    return Seat(
        _FLOOR + given["height"],
        (wide, thick, deep),
        jnp.minimum(given["corners"], thick),
        is_round,
        ((wide - leg) * inset, (deep - leg) * inset),
        leg,
        given["splay"],
        of_kind(_BACK_HEIGHT, given["back_height"]),
        given["tilt"],
        jnp.floor(given["style"]),
        jnp.floor(given["slats"]),
        given["arm_height"],
        given["bars"] > 0.5,
        has_back,
        armchair | (bench & has_back & (given["arms"] > 0.5)),
    )


def solid(seat: Seat, points: Points) -> Values:
    """Returns the distance from a seat, whose two sides mirror each other."""
    x, y, z = points
    points = jnp.stack([jnp.abs(x), y, z])
    near = jnp.minimum(_cushion(seat, points), _legs(seat, points))
    near = jnp.minimum(near, jnp.where(seat.has_bars, _bars(seat, points), _FAR))
    near = jnp.minimum(near, jnp.where(seat.has_back, _back(seat, points), _FAR))
    near = jnp.minimum(near, jnp.where(seat.has_arms, _arms(seat, points), _FAR))
    return 0.9 * near


def _cushion(seat: Seat, points: Points) -> Values:
    x, y, z = points
    wide, thick, _ = seat.half
    y = y - seat.top + thick
    disc = cylinder(x, y, z, wide, thick)
    return jnp.where(seat.is_round, disc, box(x, y, z, *seat.half, seat.corner))


def _legs(seat: Seat, points: Points) -> Values:
    x, y, z = points
    (side, front), splay = seat.foot, seat.splay
    start = side, seat.top - seat.half[1], front
    end = side + splay, _FLOOR, front + splay
    corner = jnp.stack([x, y, jnp.abs(z)])
    return capsule(corner, start, end, seat.leg, 0.8 * seat.leg)


def _bars(seat: Seat, points: Points) -> Values:
    x, y, z = points
    (side, front), upper = seat.foot, seat.top - seat.half[1]
    low = (seat.top + _FLOOR) / 2 - 0.05
    out = seat.splay * (upper - low) / (upper - _FLOOR)  # of the legs at this height
    left = box(x - side - out, y - low, z, 0.022, 0.030, front + out, 0.01)
    across = box(x, y - low, z, side + out, 0.030, 0.022, 0.01)
    return jnp.minimum(left, across)


def _back(seat: Seat, points: Points) -> Values:
    """Returns the distance from posts, a rail, and what is between them.

    The back leans: it is upright in coordinates `up` and `away` that lean with it.
    """
    x, y, z = points
    (side, front), leg, rise = seat.foot, seat.leg, seat.rise
    up, half = y - seat.top, rise / 2
    away = (z + front + seat.tilt * up) / jnp.sqrt(1.0 + seat.tilt**2)
    posts = box(x - side, up - half, away, leg, half, 0.8 * leg, 0.015)
    rail = box(x, up - rise + 0.07, away, seat.half[0], 0.07, 0.8 * leg, 0.02)
    frame = jnp.minimum(posts, rail)

    panel = box(x, up - half - 0.06, away, side, half - 0.06, 0.7 * leg, 0.02)
    odd = jnp.mod(seat.slats + 1.0, 2.0) / 2  # an even number has none in the middle
    gap = 2 * side / (seat.slats + 1.0)
    place = jnp.minimum(jnp.round(x / gap + odd) - odd, (seat.slats - 1.0) / 2)
    upright = box(x - gap * place, up - half, away, 0.034, half, 0.03, 0.012)
    rows = 1.0 + jnp.mod(seat.slats, 2.0)
    pitch = (rise - 0.10) / (rows + 1.0)
    row = jnp.clip(jnp.round(up / pitch), 1.0, rows)
    level = box(x, up - pitch * row, away, side, 0.05, 0.03, 0.012)
    slats = jnp.where(seat.style == 1, upright, level)
    return jnp.minimum(frame, jnp.where(seat.style == 0, panel, slats))


def _arms(seat: Seat, points: Points) -> Values:
    x, y, z = points
    wide, _, deep = seat.half
    x, y, half = x - wide, y - seat.top, seat.arm / 2
    rest = box(x, y - seat.arm, z + 0.05, 0.055, 0.040, deep - 0.02, 0.025)
    post = box(x, y - half + 0.05, z - deep + 0.14, 0.045, half + 0.05, 0.045, 0.015)
    return jnp.minimum(rest, post)
