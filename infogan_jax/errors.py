"""The ways in which a program ends early, each with one line on stderr."""


class UserError(ValueError):
    """A mistake in a config, a command line, data or a run directory (status 2).

    Its text names the field, shows the value, states the relation that does not
    hold and offers a way out.
    """

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


class RunFailure(RuntimeError):
    """A run that cannot go on, such as a loss that is not finite (status 1)."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


class Diverged(RunFailure):
    """A run whose losses or parameters are no longer finite."""
