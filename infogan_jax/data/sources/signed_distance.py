"""Solids as signed distances, and how a camera and a lamp see them.

A solid is a function from points to their distance from its surface, negative inside.
Rays walk forward by this distance (sphere tracing, Hart 1996). The shapes and their
smooth unions are those of Quilez, "Distance functions" (2008 and later). What reflects
light does so as Lambert's law says, and shadows have soft edges.

Points are arrays [3, ...]: x to the right, y up, z towards the viewer.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Points = Float[Array, "3 *points"]
Values = Float[Array, "*points"]
Direction = Float[Array, "3 1"]
Scalar = Float[Array, ""] | float
Level = Float[Array, "..."] | float
Place = tuple[Scalar, Scalar, Scalar]

_STEP = 0.003  # between points whose distances give a normal


class View(NamedTuple):
    """Where the camera and the lamp are, in degrees, and how bright the lamp is.

    Attributes:
      azimuth: of the solid, which it turns around the vertical axis, counter-clockwise
        from above.
      elevation: of the camera above the horizon.
      light: direction of the lamp, from the viewer's left (negative) to the right.
      light_elevation: of the lamp above the horizon.
      ambient: light that comes from everywhere, in [0, 1].
      lamp: light from the lamp, in [0, 1].
    """

    azimuth: Scalar
    elevation: Scalar
    light: Scalar
    light_elevation: Scalar
    ambient: Scalar
    lamp: Scalar


class Camera(NamedTuple):
    """What stays the same in all pictures of a source.

    Attributes:
      size: of the picture, in pixels.
      distance: of the camera from the origin.
      half_width: of what it sees at the origin.
      radius: of a ball around the origin that holds every solid.
      steps: that a ray takes, at most.
      background: gray level behind the solid, in [0, 1].
    """

    size: int
    distance: float
    half_width: float
    radius: float
    steps: int
    background: float


def length(x: Values, y: Values, z: Values) -> Values:
    """Returns the Euclidean norm."""
    return jnp.sqrt(x * x + y * y + z * z)


def ball(points: Points, centre: Place, radius: Scalar) -> Values:
    """Returns the distance from a ball."""
    x, y, z = (point - at for point, at in zip(points, centre, strict=True))
    return length(x, y, z) - radius


def ellipsoid(
    x: Values, y: Values, z: Values, a: Scalar, b: Scalar, c: Scalar
) -> Values:
    """Returns about the distance from an ellipsoid at the origin with these radii."""
    a, b, c = 1.0 / a, 1.0 / b, 1.0 / c
    x, y, z = x * a, y * b, z * c
    first = length(x, y, z)
    return first * (first - 1.0) / jnp.maximum(length(x * a, y * b, z * c), 1e-6)


def box(
    x: Values, y: Values, z: Values, a: Scalar, b: Scalar, c: Scalar, round_: Scalar
) -> Values:
    """Returns the distance from a box at the origin with these half sides.

    Its edges are rounded with a radius of `round_`, at most the least half side.
    """
    u, v, w = (
        jnp.abs(x) - a + round_,
        jnp.abs(y) - b + round_,
        jnp.abs(z) - c + round_,
    )
    outside = length(jnp.maximum(u, 0.0), jnp.maximum(v, 0.0), jnp.maximum(w, 0.0))
    inside = jnp.minimum(jnp.maximum(u, jnp.maximum(v, w)), 0.0)
    return outside + inside - round_


def cylinder(x: Values, y: Values, z: Values, radius: Scalar, half: Scalar) -> Values:
    """Returns the distance from an upright cylinder with this half height."""
    out, over = jnp.sqrt(x * x + z * z) - radius, jnp.abs(y) - half
    corner = jnp.sqrt(jnp.maximum(out, 0.0) ** 2 + jnp.maximum(over, 0.0) ** 2)
    return corner + jnp.minimum(jnp.maximum(out, over), 0.0)


def capsule(
    points: Points,
    start: Place,
    end: Place,
    first: Scalar,
    last: Scalar,
) -> Values:
    """Returns the distance from a segment whose radius goes from `first` to `last`."""
    x, y, z = (point - place for point, place in zip(points, start, strict=True))
    a, b, c = (to - at for to, at in zip(end, start, strict=True))
    inverse = 1.0 / (a * a + b * b + c * c)
    along = jnp.clip((x * a + y * b + z * c) * inverse, 0.0, 1.0)
    away = length(x - along * a, y - along * b, z - along * c)
    return away - (first + (last - first) * along)


def join(one: Values, other: Values, width: Scalar) -> Values:
    """Returns the union of two solids with a seam that is smooth over `width`."""
    overlap = jnp.maximum(width - jnp.abs(one - other), 0.0)
    return jnp.minimum(one, other) - overlap * overlap * (0.25 / width)


def carve(solid: Values, hole: Values, width: Scalar) -> Values:
    """Returns a solid without a hole, whose edge is smooth over `width`."""
    return -join(-solid, hole, width)


def mix(low: Level, high: Level, share: Level) -> Array:
    """Returns `low` where the share is 0, `high` where it is 1, and a line between."""
    return jnp.asarray(low + (high - low) * share)


def blend(low: Scalar, high: Scalar, value: Values) -> Values:
    """Returns 0 below `low`, 1 above `high`, and a smooth rise between them."""
    share = jnp.clip((value - low) * (1.0 / (high - low)), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def picture(
    distance: Callable[[Points], Values],
    albedo: Callable[[Points], Values],
    view: View,
    camera: Camera,
) -> Float[Array, "size size"]:
    """Returns a gray picture of a solid, in [0, 1], with 2 x 2 rays a pixel.

    Args:
      distance: of points from the solid; may be too small, but hardly too large.
      albedo: the share of light that the solid reflects there, in [0, 1].
      view: camera and lamp.
      camera: size and limits.
    """
    into = _into_solid(view)
    eye = into(jnp.array([[0.0], [0.0], [camera.distance]]))
    lamp = into(_direction(view.light, view.light_elevation))
    sky_is_up = into(jnp.array([[0.0], [1.0], [0.0]]))
    directions = into(_rays(camera))
    end = camera.distance + camera.radius

    def walk(_: Any, travelled: Values) -> Values:
        return jnp.minimum(
            travelled + distance(eye + travelled[None] * directions), end
        )

    start = jnp.full_like(directions[0], camera.distance - camera.radius)
    travelled = jax.lax.fori_loop(0, camera.steps, walk, start)
    points = eye + travelled[None] * directions
    is_hit = distance(points) < 0.02
    normals = _normals(distance, points)
    facing = jnp.maximum(_dot(normals, lamp), 0.0)
    lit = _shadow(distance, points + 0.02 * normals, lamp)
    sky = 0.65 + 0.35 * _dot(normals, sky_is_up)
    light = view.ambient * sky + view.lamp * facing * lit
    shade = jnp.sqrt(jnp.clip(albedo(points) * light, 0.0, 1.0))
    rays = jnp.where(is_hit, shade, camera.background)
    rays = rays.reshape(camera.size, 2, camera.size, 2)
    pairs = rays[..., 0] + rays[..., 1]
    return (pairs[:, 0] + pairs[:, 1]) / 4


def _rays(camera: Camera) -> Float[Array, "3 rays"]:
    """Returns unit directions from the eye, in the viewer's axes."""
    side = 2 * camera.size
    line = (jnp.arange(side) - (side - 1) / 2) * (2 * camera.half_width / side)
    across, up = jnp.tile(line, side), jnp.repeat(-line, side)
    away = jnp.full_like(across, -camera.distance)
    return jnp.stack([across, up, away]) / length(across, up, away)[None]


def _direction(azimuth: Scalar, elevation: Scalar) -> Direction:
    a, e = jnp.deg2rad(azimuth), jnp.deg2rad(elevation)
    parts = [jnp.sin(a) * jnp.cos(e), jnp.sin(e), jnp.cos(a) * jnp.cos(e)]
    return jnp.stack(parts)[:, None]


def _into_solid(view: View) -> Callable[[Points], Points]:
    """Returns the rotation from the viewer's axes to those of the solid."""
    a, e = jnp.deg2rad(view.azimuth), jnp.deg2rad(view.elevation)
    cos_a, sin_a, cos_e, sin_e = jnp.cos(a), jnp.sin(a), jnp.cos(e), jnp.sin(e)

    def rotate(points: Points) -> Points:
        x, y, z = points
        y, z = cos_e * y + sin_e * z, cos_e * z - sin_e * y
        return jnp.stack([cos_a * x - sin_a * z, y, cos_a * z + sin_a * x])

    return rotate


def _dot(one: Points, other: Direction) -> Values:
    x, y, z = one * other
    return x + y + z


def _normals(distance: Callable[[Points], Values], points: Points) -> Points:
    """Returns unit normals, from the slopes of the distance along the three axes.

    A loop computes the distances, or XLA would do so once more for each use.
    """

    def slope(axis: Float[Array, "3"]) -> Values:
        ends = jnp.stack([points + axis[:, None], points - axis[:, None]], axis=1)
        ahead, behind = distance(ends)
        return ahead - behind

    slopes = jax.lax.map(slope, _STEP * jnp.eye(3))
    return slopes / jnp.maximum(length(*slopes), 1e-9)[None]


def _shadow(
    distance: Callable[[Points], Values], points: Points, lamp: Direction
) -> Values:
    """Returns the share of the lamp that points see, from how near its rays pass."""

    def walk(_: Any, state: tuple[Values, Values, Values]) -> tuple[Values, ...]:
        travelled, share, near = state
        share = jnp.minimum(share, 8.0 * near / travelled)
        travelled = travelled + jnp.clip(near, 0.03, 0.3)
        return travelled, share, distance(points + travelled[None] * lamp)

    travelled = jnp.full_like(points[0], 0.03)
    first = (
        travelled,
        jnp.ones_like(travelled),
        distance(points + travelled[None] * lamp),
    )
    _, share, _ = jax.lax.fori_loop(0, 14, walk, first)
    return blend(0.0, 1.0, share)
