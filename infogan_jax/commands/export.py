"""Exports a run to other frameworks: `--workdir=runs/digits --out=digits_model`."""

from absl import flags

from infogan_jax.commands import program


def define_flags() -> None:
    """Defines the flags."""
    program.define_workdir()
    flags.DEFINE_string("out", None, "A new folder.")
    flags.DEFINE_string(
        "formats", "onnx,safetensors,jax", "Some of these, with commas between."
    )


def main() -> int:
    """Exports, and prints the files with their sizes; returns the exit status."""
    from infogan_jax.trained import exporting

    workdir, given = program.run_directory(), flags.FLAGS
    print(exporting.export_run(workdir, given.out or "", given.formats))
    return 0
