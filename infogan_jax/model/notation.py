"""Parses the text notation of codes and networks, which follows the paper's tables.

In a config the codes are one text and each network is one text, so one flag can replace
any of them.
"""

import math
import re
from dataclasses import replace

from infogan_jax.errors import UserError
from infogan_jax.model.code_kinds import KINDS
from infogan_jax.model.latents import Code
from infogan_jax.model.layers import OUTPUT_RANGES, Layer

_CODE = re.compile(
    r"(?:(?P<count>[1-9]\d{0,3})\s*x\s+)?(?:(?P<name>\w+)\s*=\s*)?(?P<kind>[a-z]+)"
    r"(?:\((?P<size>\d{1,6})\))?(?:\s*@\s*(?P<weight>\S+))?"
    r"(?:\s+in\s+(?P<parent>\w+))?"
)
_LAYER = re.compile(
    r"(?P<kind>fc|conv|upconv)\s+(?P<shape>\d{1,6}(?:x\d{1,6}x\d{1,6})?)"
    r"(?:\s+s(?P<stride>[1-4]))?"
    r"(?P<norm>\s+bn)?(?:\s+(?P<activation>relu|lrelu|sigmoid|tanh))?"
)
_MINIBATCH = re.compile(r"minibatch\s+([1-9]\d{0,3})x([1-9]\d?)")


def parse_codes(text: str, field: str = "config.latents.codes") -> tuple[Code, ...]:
    """Parses codes: `[COUNT x ][NAME=]KIND[(SIZE)][ @ LAMBDA][ in PARENT], ...`.

    `"digit=categorical(10), 2 x uniform @ 0.1"` is a code `digit` of 10 categories with
    lambda 1 and two codes `uniform_0`, `uniform_1` on [-1, 1] with lambda 0.1. A code
    without a name is called after its kind and numbered. An empty text means no codes,
    which is a plain GAN.

    `"digit=categorical(10), style=categorical(3) in digit"` is a code `style` within
    each category of `digit`.

    Raises:
      UserError: if a part cannot be parsed, two codes have the same name, or a parent
        is no categorical code that comes before.
    """
    codes: list[Code] = []
    for part in _split(text):
        match = _CODE.fullmatch(part)
        if match is None or match["kind"] not in KINDS:
            raise UserError(
                f"{field}: cannot read {part!r}; write "
                "'[COUNT x ][NAME=]KIND[(SIZE)][ @ LAMBDA][ in PARENT]' with a KIND of "
                f"{', '.join(KINDS)}, e.g. 'categorical(10), 2 x uniform @ 0.1'."
            )
        kind, count = match["kind"], int(match["count"] or 1)
        first = sum(code.kind == kind for code in codes)
        for i in range(count):
            if match["name"] is None:
                name = f"{kind}_{first + i}"
            else:
                name = match["name"] + (f"_{i}" if count > 1 else "")
            code = _code(field, name, kind, match["size"], match["weight"])
            codes.append(replace(code, parent=match["parent"] or ""))
    names = [code.name for code in codes]
    for name in names:
        if names.count(name) > 1:
            raise UserError(
                f"{field} (={text!r}): the name {name!r} is used "
                f"{names.count(name)} times; names must differ."
            )
    _check_parents(codes, field)
    return tuple(codes)


def _check_parents(codes: list[Code], field: str) -> None:
    able: list[str] = []
    for code in codes:
        if code.parent and code.parent not in able:
            advice = (
                f"write one of {', '.join(able)} there"
                if able
                else f"put one before {code.name!r}, such as 'digit=categorical(10)'"
            )
            raise UserError(
                f"{field}: {code.name!r} is in {code.parent!r}, which must be the name "
                f"of a categorical code before it; {advice}, or leave out "
                f"'in {code.parent}'."
            )
        if code.is_categorical:
            able.append(code.name)


def _code(
    field: str, name: str, kind: str, size: str | None, weight: str | None
) -> Code:
    if KINDS[kind].is_categorical != (size is not None):
        raise UserError(
            f"{field}: {name!r} is {kind if size is None else f'{kind}({size})'}; a "
            "categorical code needs a size, as in categorical(10), and no other kind "
            "has one."
        )
    if size is not None and int(size) < 2:
        raise UserError(
            f"{field}: {name!r} has {int(size)} categories; it must have at least 2."
        )
    try:
        number = 1.0 if weight is None else float(weight)
    except ValueError:
        number = float("nan")
    if not 0.0 <= number < float("inf"):
        raise UserError(
            f"{field}: the lambda of {name!r} (={weight}) must be a finite number of "
            "at least 0; the paper's is 1, and with 0 neither G nor Q learns the code."
        )
    return Code(name, kind, int(size or 1), number)


def parse_layers(text: str, field: str) -> tuple[Layer, ...]:
    """Parses a network: `KIND SHAPE[ sSTRIDE][ bn][ ACTIVATION], ...`.

    A trunk may have `minibatch KERNELSxDIMENSIONS` as well (`layers.Similarity`).
    `"conv 64 s2 lrelu, conv 128 s2 bn lrelu, fc 1024 bn lrelu"` is the trunk of the
    paper's table 1. The output of `"fc 7x7x128 bn relu"` is an image of 7 x 7 x 128.

    Raises:
      UserError: if a part cannot be parsed.
    """
    layers = []
    for part in _split(text):
        if similarity := _MINIBATCH.fullmatch(part):
            layers.append(Layer("minibatch", tuple(map(int, similarity.groups()))))
            continue
        match = _LAYER.fullmatch(part)
        if match is None:
            raise UserError(
                f"{field}: cannot read {part!r}; write 'KIND SHAPE[ sSTRIDE][ bn]"
                "[ ACTIVATION]' with a KIND of fc, conv, upconv and an ACTIVATION of "
                "relu, lrelu, sigmoid, tanh, e.g. 'conv 64 s2 bn lrelu', or "
                "'minibatch 50x5' in a trunk."
            )
        layer = Layer(
            match["kind"],
            tuple(int(size) for size in match["shape"].split("x")),
            int(match["stride"] or 1),
            match["norm"] is not None,
            match["activation"] or "",
        )
        is_vector = layer.kind == "fc"
        if 0 in layer.shape or (not is_vector and len(layer.shape) > 1):
            raise UserError(
                f"{field}: {part!r} has an impossible shape; sizes are at least 1, "
                "and only fc may have three of them."
            )
        if is_vector and match["stride"]:
            raise UserError(f"{field}: {part!r} has a stride; fc has none.")
        layers.append(layer)
    return tuple(layers)


def as_text(layer: Layer) -> str:
    """Returns a layer as `parse_layers` reads it."""
    words = [layer.kind, "x".join(map(str, layer.shape))]
    words += [f"s{layer.stride}"] * (layer.stride > 1) + ["bn"] * layer.norm
    return " ".join([*words, layer.activation]).strip()


def follow(
    layers: tuple[Layer, ...], shape: tuple[int, ...], field: str
) -> tuple[int, ...]:
    """Returns the shape of a network's output for one input of `shape`.

    Raises:
      UserError: if a convolution has a vector as its input.
    """
    for layer in layers:
        if layer.kind == "fc":
            shape = layer.shape
            continue
        if layer.kind == "minibatch":
            shape = (math.prod(shape) + layer.shape[0],)
            continue
        if len(shape) != 3:
            raise UserError(
                f"{field}: '{layer.kind} {layer.shape[0]}' follows a vector; put a "
                "layer such as 'fc 7x7x128' before it."
            )
        height, width = (
            side * layer.stride if layer.kind == "upconv" else -(-side // layer.stride)
            for side in shape[:2]
        )
        shape = (height, width, *layer.shape)
    return shape


def refuse_minibatch(layers: tuple[Layer, ...], field: str) -> None:
    """Checks that a network looks at one image at a time.

    Raises:
      UserError: if it compares the images of a batch.
    """
    for layer in layers:
        if layer.kind == "minibatch":
            text = "x".join(map(str, layer.shape))
            raise UserError(
                f"{field} has 'minibatch {text}', which compares the images that D "
                "sees; put it into config.networks.trunk instead, at best at its end."
            )


def check_generator(
    layers: tuple[Layer, ...], image_shape: tuple[int, int, int], field: str
) -> None:
    """Checks that G turns a vector into the images of the data.

    Raises:
      UserError: if the last activation has no range or the image shape differs.
    """
    shape = follow(layers, (), field)
    if not layers or layers[-1].activation not in OUTPUT_RANGES:
        raise UserError(
            f"{field} must end in sigmoid (images in [0, 1]) or tanh (in [-1, 1])."
        )
    if shape != image_shape:
        raise UserError(
            f"{field} makes images of {_shape_text(shape)}, but the data has "
            f"{_shape_text(image_shape)}; change the last layers or the data's size."
        )


def _shape_text(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
