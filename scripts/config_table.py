"""Writes docs/config.md: every field of a config, from infogan_jax/fields.py.

python -m scripts.config_table            # or: make docs
"""

from pathlib import Path

from infogan_jax.fields import FIELDS

PAGE = Path(__file__).parent.parent / "docs" / "config.md"
HEAD = """# The fields of a config

<!-- Made by scripts/config_table.py from infogan_jax/fields.py. -->

A config is an `ml_collections.ConfigDict`. Each file in `configs/` starts from the
defaults below and says what is its own. Any field is a flag:

    python train.py --config=configs/mnist.py --config.latents.noise_size=32

A wrong name or value ends in one line that says what is allowed. The config of a run is
recorded whole in its `config.json`. [method.md](method.md) says what the switches of
the objective do, and what T is: the transformation of the bounds on real images.

| field | default | must be | meaning |
|---|---|---|---|
"""


def page() -> str:
    """Returns the page as text."""
    rows = (
        f"| `{name}` | `{field.default!r}` | {field.rule.relation} | {field.meaning} |"
        for name, field in FIELDS.items()
    )
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
