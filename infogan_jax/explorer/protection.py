"""What the server refuses: other hosts and pages, and what is too large or too slow.

A page of another site that is open in the same browser must not reach the server:
requests whose Host is another (a name that has been bound to 127.0.0.1) or whose Origin
is another are refused. Sizes and times are bounded, so that nobody can fill the memory.
"""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import anyio
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from infogan_jax.errors import UserError

HOST = "127.0.0.1"

NAMES_OF_THIS_MACHINE = {HOST, "localhost", "::1"}
"""The last two are what a browser calls it, also at the near end of `ssh -L`."""

LARGEST_QUESTION = 2**16
"""Bytes of a JSON body."""

SECONDS = 20
"""How long the rest of a request may take to come."""

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
            refused = refusal(421, "this server answers to 127.0.0.1 alone.")
            await refused(scope, receive, send)
        elif any(origin != f"http://{hosts[0]}" for origin in origins):
            refused = refusal(403, "a page of another origin is refused.")
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


def refusal(status: int, text: str) -> JSONResponse:
    """Returns an answer that says why a request is refused."""
    return JSONResponse({"error": text}, status)


async def read_body(request: Request, largest: int) -> bytes:
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


async def read_question(request: Request) -> dict[str, Any]:
    """Returns the JSON object in the body of a request; anything else is refused."""
    if request.headers.get("content-type") != "application/json":
        raise HTTPException(415, "the content must be application/json.")
    try:
        question = json.loads(await read_body(request, LARGEST_QUESTION))
    except (ValueError, RecursionError) as error:
        raise UserError("the content must be JSON.") from error
    if not isinstance(question, dict):
        raise UserError("the content must be a JSON object.")
    return question


class Impatient(H11Protocol):
    """Gives up a connection whose first request does not come within 20 s."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts the clock."""
        super().connection_made(transport)
        self.loop.call_later(SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()
