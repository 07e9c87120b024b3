"""InfoGAN (Chen et al. 2016) in JAX: docs/design.md says where each part lives."""

from importlib import import_module
from typing import Any

from infogan_jax.version import __version__

__all__ = [
    "Extensions",
    "InfoGAN",
    "LatentSpec",
    "Term",
    "__version__",
    "build",
    "evaluate",
    "load",
    "load_mixture",
    "restore",
    "train",
    "train_step",
]

_PLACES = {
    "Extensions": "experiment",
    "InfoGAN": "trained.infogan",
    "LatentSpec": "model.latents",
    "Term": "game.terms",
    "build": "experiment",
    "evaluate": "evaluation",
    "load": "trained.loading",
    "load_mixture": "several.mixture",
    "restore": "restoring",
    "train": "training",
    "train_step": "game.train_step",
}


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def __getattr__(name: str) -> Any:
    """Imports what users need most when it is first asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
