"""Tiny archives of renderings, and a local server that sends them."""

import contextlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

VIEWS = [(20, 348), (20, 11), (30, 348), (30, 11)]
"""Elevation and azimuth in degrees; the brightness is 10 x model + view."""


def encode_image(brightness, file_format="png", size=6):
    """Returns the bytes of the file of a uniform gray image."""
    buffer = io.BytesIO()
    pixels = np.full((size, size, 3), brightness, np.uint8)
    Image.fromarray(pixels).save(buffer, file_format)
    return buffer.getvalue()


def chair_files(models=12, views=VIEWS):
    """Returns the renderings of some models, and another file: contents by path."""
    files = {"rendered_chairs/all_chair_names.mat": b"names"}
    for model in range(models):
        for view, (elevation, azimuth) in enumerate(views):
            name = f"image_{view:03}_p{elevation:03}_t{azimuth:03}_r096.png"
            path = f"rendered_chairs/model{model:02}/renders/{name}"
            files[path] = encode_image(10 * model + view)
    return files


def make_tar(files, mode="w"):
    """Returns the bytes of a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@contextlib.contextmanager
def serve(content):
    """Runs a server that sends `content` for every path, in the way of its attributes.

    `bytes_sent` is how many bytes it sends before it closes the connection (None for
    all), `is_sized` is whether it sends the header Content-Length, `status` is the HTTP
    status, and `requests` counts the requests.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.requests += 1
            self.send_response(server.status)
            if server.is_sized:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: server.bytes_sent])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.bytes_sent, server.is_sized, server.status = None, True, 200
    server.requests = 0
    server.url = f"http://127.0.0.1:{server.server_port}/rendered_chairs.tar"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
