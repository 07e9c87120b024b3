"""Gives names to the codes and categories of a run, and lists them."""

from collections.abc import Iterator
from pathlib import Path

from infogan_jax.errors import UserError
from infogan_jax.run import code_names
from infogan_jax.trained import loading
from infogan_jax.trained.infogan import InfoGAN


def name_codes(workdir: Path, text: str = "") -> str:
    """Writes names of codes and categories to `names.json` of a run.

    Args:
      workdir: of the run.
      text: `CODE=NAME, CODE/CATEGORY=NAME, ...`; an empty name takes a name away, and
        an empty text changes nothing.

    Returns:
      A line for each code and each named category.

    Raises:
      UserError: for a code that is not there, or a name that could be mistaken.
      RunFailure: where the file cannot be written.
    """
    model = loading.load(workdir)
    given = dict(_parse(model, text))
    names = dict(model.names)
    if given:
        names = code_names.write_names(workdir, names | given, model.codes)
    lines = []
    for code in model.codes:
        lines.append(f"  {code.name}{_called(names.get(code.name))}")
        for category in range(code.size):
            name = names.get(f"{code.name}/{category}")
            lines += [f"    {code.name}/{category}{_called(name)}"] * (name is not None)
    head = f"wrote {workdir / code_names.NAMES}" if given else f"codes of {workdir}"
    return "\n".join([head, *lines])


def _called(name: str | None) -> str:
    return "" if name is None else f" = {name}"


def _parse(model: InfoGAN, text: str) -> Iterator[tuple[str, str]]:
    for part in (part.strip() for part in text.split(",")):
        if not part:
            continue
        key, equals, name = (word.strip() for word in part.partition("="))
        if not (key and equals):
            raise UserError(
                f"--names: cannot read {part!r}; write CODE=NAME or "
                "CODE/CATEGORY=NAME, as in 'uniform_1=slant, categorical_0/3=five'."
            )
        called, slash, category = key.partition("/")
        code = model.code(called)
        if slash:
            number = code_names.find_category(model.names, code, category)
            yield f"{code.name}/{number}", name
        else:
            yield code.name, name
