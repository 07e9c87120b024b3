"""The names of the trackers that a run can write to."""

TRACKERS = ("wandb", "mlflow")


def parse_trackers(text: str) -> list[str]:
    """Returns the names in a text such as `wandb, mlflow`, each once.

    Raises:
      ValueError: for a name that is none of `TRACKERS`.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := set(names) - set(TRACKERS):
        raise ValueError(unknown)
    return list(dict.fromkeys(names))
