"""Explores a run: restore, draw once, listen, answer."""

import contextlib
from pathlib import Path

from infogan_jax.data.dataset import Split
from infogan_jax.explorer import server, views
from infogan_jax.explorer.views import View
from infogan_jax.machine import compilation, processes
from infogan_jax.restoring import described
from infogan_jax.trained import loading


def explore(workdir: Path, port: int = 0, data: str = "") -> None:
    """Serves the page of a run on 127.0.0.1 until Ctrl-C, and prints its address.

    Args:
      workdir: of the run, whose newest checkpoint is used.
      port: to listen on; 0 takes a free one.
      data: where the training images lie now; "" is where the run has recorded it.

    Raises:
      UserError: where the directory holds no run, or no checkpoint, or the port cannot
        be used.
    """
    processes.refuse_several()
    with server.listen(port) as listening:
        compilation.use_persistent_cache()
        model = loading.load(workdir)

        def load_training() -> Split:
            return described(workdir, data).dataset.train

        app = server.create_app(model, load_training)
        first = {code.name: 0.0 for code in model.codes}
        views.samples(model, View(first, (0,)))  # compiled before anybody waits
        port = listening.getsockname()[1]
        print(f"http://{server.HOST}:{port}  (Ctrl-C ends it)", flush=True)
        with contextlib.suppress(KeyboardInterrupt):  # the way to end it
            server.make_server(app).run(sockets=[listening])
