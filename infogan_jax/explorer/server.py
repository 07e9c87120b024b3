"""The server of the page: it answers this machine alone, and writes only names.json."""

import base64
import io
import json
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import uvicorn
from jaxtyping import UInt8
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from infogan_jax.analysis.grids import grid
from infogan_jax.data import decoding
from infogan_jax.data.dataset import Split
from infogan_jax.errors import RunFailure, UserError
from infogan_jax.explorer import readings, views
from infogan_jax.explorer.protection import (
    HOST,
    Impatient,
    OnlyThisMachine,
    read_body,
    read_question,
    refusal,
)
from infogan_jax.model.latents import Code
from infogan_jax.run import code_names
from infogan_jax.trained.infogan import InfoGAN

LARGEST_PICTURE = 2**24
"""Bytes of a picture's file."""

LARGEST_AREA = 2**25
"""Pixels of a picture: a small file can claim more than the memory holds."""

PAGES = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}


def create_app(model: InfoGAN, load_training: Callable[[], Split]) -> Starlette:
    """Returns the application for a trained run.

    Args:
      model: the run.
      load_training: reads its training images; called when they are first asked for.
    """
    neighbours = readings.Neighbours(model, load_training)
    # one at a time: two would share the cores, and neither would be sooner
    drawing, searching, uploading = (anyio.Semaphore(n) for n in (1, 1, 8))

    async def about(_: Request) -> Response:
        return JSONResponse(await anyio.to_thread.run_sync(_about, model))

    async def samples(request: Request) -> Response:
        view = views.parse_view(model.spec, await read_question(request))
        async with drawing:
            sprite = await anyio.to_thread.run_sync(views.samples, model, view)
        return _png(sprite)

    async def traversal(request: Request) -> Response:
        asked = await read_question(request)
        view, code = views.parse_view(model.spec, asked), _code(model, asked)
        async with drawing:
            sprite, values = await anyio.to_thread.run_sync(
                views.traversal, model, view, code
            )
        return _png(sprite, {"X-Values": json.dumps(values)})

    async def names(request: Request) -> Response:
        changes = await read_question(request)
        async with drawing:
            kept = await anyio.to_thread.run_sync(_rename, model, changes)
        return JSONResponse(kept)

    def of_picture(
        answer: Callable[[bytes], dict[str, Any]], turn: anyio.Semaphore
    ) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            async with uploading:
                content = await read_body(request, LARGEST_PICTURE)
                async with turn:
                    found = await anyio.to_thread.run_sync(answer, content)
            return JSONResponse(found)

        return handle

    reading = of_picture(partial(_read, model), drawing)
    nearest = of_picture(partial(_nearest, model, neighbours), searching)
    return Starlette(
        routes=[
            *(Route(path, partial(_page, *file)) for path, file in PAGES.items()),
            Route("/api/run", about),
            Route("/api/samples", samples, methods=["POST"]),
            Route("/api/traversal", traversal, methods=["POST"]),
            Route("/api/names", names, methods=["PATCH"]),
            Route("/api/reading", reading, methods=["POST"]),
            Route("/api/nearest", nearest, methods=["POST"]),
        ],
        middleware=[Middleware(OnlyThisMachine)],
        exception_handlers={
            UserError: lambda _, error: refusal(400, str(error)),
            RunFailure: lambda _, error: refusal(500, str(error)),
            HTTPException: lambda _, error: refusal(error.status_code, error.detail),
            ClientDisconnect: lambda *_: refusal(400, "the request ended early."),
            Exception: lambda *_: refusal(500, "this went wrong; see the terminal."),
        },
    )


def _page(file: str, kind: str, _: Request) -> Response:
    content = Path(__file__).with_name(file).read_bytes()
    return Response(content, media_type=kind)


def _code(model: InfoGAN, asked: dict[str, Any]) -> Code:
    for code in model.codes:
        if code.name == asked.get("code"):
            return code
    known = ", ".join(code.name for code in model.codes) or "none"
    raise UserError(f"code must be the name of a code: {known}.")


def _about(model: InfoGAN) -> dict[str, Any]:
    return {
        "name": model.config["name"],
        "about": f"seed {model.seed}, step {model.step}, in {model.workdir}",
        "image": model.image_shape,
        "columns": views.COLUMNS,
        "names": code_names.read_names(model.workdir, model.codes),
        "codes": [_describe(code) for code in model.codes],
    }


def _describe(code: Code) -> dict[str, Any]:
    about = {"name": code.name, "kind": code.kind, "size": code.size}
    about["parent"] = code.parent
    if not code.is_categorical:
        about["low"], about["high"] = code.of_kind.sweep(1, 2).tolist()
    return about


def _rename(model: InfoGAN, changes: dict[str, Any]) -> dict[str, str]:
    names = code_names.read_names(model.workdir, model.codes)
    return code_names.write_names(model.workdir, names | changes, model.codes)


def _read(model: InfoGAN, content: bytes) -> dict[str, Any]:
    picture = _decode(model, content)
    reading = readings.read(model, picture)
    return {
        "codes": reading.codes,
        "picture": _embedded(picture),
        "reconstructions": _embedded(_strip(reading.reconstructions)),
    }


def _nearest(
    model: InfoGAN, neighbours: readings.Neighbours, content: bytes
) -> dict[str, Any]:
    picture = _decode(model, content)
    try:
        images, distances, among = neighbours.of(picture)
    except (UserError, RunFailure) as error:
        return {"missing": f"the training images are not here: {error}"}
    return {
        "images": _embedded(_strip(images)),
        "distances": distances.tolist(),
        "among": among,
    }


def _decode(
    model: InfoGAN, content: bytes
) -> UInt8[np.ndarray, "height width channels"]:
    file = io.BytesIO(content)
    size = decoding.size(file)
    if size is None:
        raise UserError(
            "this is no picture of a size that can be read; take a PNG, JPEG or WebP."
        )
    if size[0] * size[1] > LARGEST_AREA:
        raise UserError(
            f"the picture has {size[0]} x {size[1]} pixels, more than {LARGEST_AREA}; "
            "make it smaller."
        )
    return model.read(file)


def _strip(images: UInt8[np.ndarray, "n height width channels"]) -> views.Sprite:
    return grid(images, len(images), margin=0, smallest=1)


def _encode(pixels: views.Sprite) -> bytes:
    content = io.BytesIO()
    decoding.from_pixels(pixels).save(content, format="PNG", compress_level=1)
    return content.getvalue()


def _png(sprite: views.Sprite, headers: dict[str, str] | None = None) -> Response:
    return Response(_encode(sprite), headers=headers, media_type="image/png")


def _embedded(pixels: views.Sprite) -> str:
    return f"data:image/png;base64,{base64.b64encode(_encode(pixels)).decode()}"


def listen(port: int) -> socket.socket:
    """Returns a socket that listens on 127.0.0.1; port 0 takes a free one.

    Raises:
      UserError: where the port is taken or not allowed.
    """
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise UserError(
            f"--port (={port}) cannot be used: {error.strerror}; leave it out for a "
            "free one."
        ) from error


def make_server(app: ASGIApp) -> uvicorn.Server:
    """Returns a server; `run(sockets=[listen(0)])` answers until Ctrl-C."""
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=Impatient,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)
