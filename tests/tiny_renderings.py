"""Tiny archives of renderings, and a server on this machine to download them from."""

import contextlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

VIEWS = [(20, 348), (20, 11), (30, 348), (30, 11)]
"""Elevation and azimuth in degrees; the brightness is 10 x model + view."""


def picture(value, kind="png", size=6):
    buffer = io.BytesIO()
    Image.fromarray(np.full((size, size, 3), value, np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def chairs(models=12, views=VIEWS):
    """Names and contents of the renderings of some models, and of another file."""
    files = {"rendered_chairs/all_chair_names.mat": b"names"}
    for model in range(models):
        for view, (elevation, azimuth) in enumerate(views):
            name = f"image_{view:03}_p{elevation:03}_t{azimuth:03}_r096.png"
            path = f"rendered_chairs/model{model:02}/renders/{name}"
            files[path] = picture(10 * model + view)
    return files


def tar(files, mode="w"):
    """The bytes of an archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@contextlib.contextmanager
def serving(content):
    """A server that gives `content` for every path, as its attributes say.

    `sent` is how many bytes it sends before it hangs up, `is_sized` whether it says
    how many there are, and `asked` how often it was asked.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked += 1
            self.send_response(server.status)
            if server.is_sized:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: server.sent])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.sent, server.is_sized, server.status, server.asked = None, True, 200, 0
    server.url = f"http://127.0.0.1:{server.server_port}/rendered_chairs.tar"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
