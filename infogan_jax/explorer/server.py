"""The server of the page: it answers this machine alone, and writes only names.json.

A page of another site that is open in the same browser must not reach it: requests
whose Host is another (a name that has been bound to 127.0.0.1) or whose Origin is
another are refused. Sizes and times are bounded, so that nobody can fill the memory.
"""

import asyncio
import base64
import io
import json
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import numpy as np
import uvicorn
from jaxtyping import UInt8
from PIL import Image
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from infogan_jax.analysis.grids import grid
from infogan_jax.data import decoding
from infogan_jax.data.dataset import Split
from infogan_jax.errors import RunFailure, UserError
from infogan_jax.explorer import readings, views
from infogan_jax.model.latents import Code
from infogan_jax.run import code_names
from infogan_jax.trained.loading import InfoGAN

HOST = "127.0.0.1"
NAMES_OF_THIS_MACHINE = {HOST, "localhost", "::1"}
"""The last two are what a browser calls it, also at the near end of `ssh -L`."""

LARGEST_QUESTION = 2**16
LARGEST_PICTURE = 2**24
"""Bytes of a JSON body, and of a picture's file."""

LARGEST_AREA = 2**25
"""Pixels of a picture: a small file can claim more than the memory holds."""

SECONDS = 20
"""How long the rest of a request may take to come."""

PAGES = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
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
        view = views.parse_view(model.spec, await _question(request))
        async with drawing:
            sprite = await anyio.to_thread.run_sync(views.samples, model, view)
        return _png(sprite)

    async def traversal(request: Request) -> Response:
        asked = await _question(request)
        view, code = views.parse_view(model.spec, asked), _code(model, asked)
        async with drawing:
            sprite, values = await anyio.to_thread.run_sync(
                views.traversal, model, view, code
            )
        return _png(sprite, {"X-Values": json.dumps(values)})

    async def names(request: Request) -> Response:
        changes = await _question(request)
        async with drawing:
            kept = await anyio.to_thread.run_sync(_rename, model, changes)
        return JSONResponse(kept)

    async def reading(request: Request) -> Response:
        async with uploading:
            content = await _body(request, LARGEST_PICTURE)
            async with drawing:
                answer = await anyio.to_thread.run_sync(_read, model, content)
        return JSONResponse(answer)

    async def nearest(request: Request) -> Response:
        async with uploading:
            content = await _body(request, LARGEST_PICTURE)
            async with searching:
                answer = await anyio.to_thread.run_sync(
                    _nearest, model, neighbours, content
                )
        return JSONResponse(answer)

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
            UserError: lambda _, error: _refusal(400, str(error)),
            RunFailure: lambda _, error: _refusal(500, str(error)),
            HTTPException: lambda _, error: _refusal(error.status_code, error.detail),
            ClientDisconnect: lambda *_: _refusal(400, "the request ended early."),
            Exception: lambda *_: _refusal(500, "this went wrong; see the terminal."),
        },
    )


class OnlyThisMachine:
    """Refuses requests for another host or from a page of another one."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps an application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        given = [(name, value.decode("latin-1")) for name, value in scope["headers"]]
        hosts = [value for name, value in given if name == b"host"]
        origins = [value for name, value in given if name == b"origin"]
        if len(hosts) != 1 or _hostname(hosts[0]) not in NAMES_OF_THIS_MACHINE:
            refused = _refusal(421, "this server answers to 127.0.0.1 alone.")
            await refused(scope, receive, send)
        elif any(origin != f"http://{hosts[0]}" for origin in origins):
            refused = _refusal(403, "a page of another origin is refused.")
            await refused(scope, receive, send)
        else:
            await self.app(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] += [
                (name.lower().encode(), value.encode())
                for name, value in HEADERS.items()
            ]
        await send(message)

    return send_with_headers


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"http://{host}").hostname if "@" not in host else None
    except ValueError:
        return None


def _page(file: str, kind: str, _: Request) -> Response:
    content = Path(__file__).with_name(file).read_bytes()
    return Response(content, media_type=kind)


def _refusal(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": text}, status)


async def _body(request: Request, largest: int) -> bytes:
    """Returns the body of a request; one that is too large or too slow is refused."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > largest:
        raise HTTPException(413, f"the content must be at most {largest} bytes.")
    parts, size = [], 0
    with anyio.move_on_after(SECONDS) as waiting:
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > largest:
                raise HTTPException(
                    413, f"the content must be at most {largest} bytes."
                )
    if waiting.cancelled_caught:
        raise HTTPException(408, f"the content took longer than {SECONDS} seconds.")
    return b"".join(parts)


async def _question(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type") != "application/json":
        raise HTTPException(415, "the content must be application/json.")
    try:
        question = json.loads(await _body(request, LARGEST_QUESTION))
    except (ValueError, RecursionError) as error:
        raise UserError("the content must be JSON.") from error
    if not isinstance(question, dict):
        raise UserError("the content must be a JSON object.")
    return question


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
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture.save(content, format="PNG", compress_level=1)
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


class Impatient(H11Protocol):
    """Gives up a connection whose first request does not come within 20 s."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts the clock."""
        super().connection_made(transport)
        self.loop.call_later(SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


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
