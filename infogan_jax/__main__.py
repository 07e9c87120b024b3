"""The program `infogan COMMAND --flags`; also `python -m infogan_jax COMMAND`."""

import importlib
import sys

COMMANDS = {
    "train": "trains a config, or goes on with a run",
    "eval": "evaluates a run, or writes the codes of images",
    "explore": "opens a page with sliders over the codes of a run",
    "seeds": "trains and evaluates several seeds, and sums up",
    "search": "trains settings of some fields with several seeds, and ranks them",
    "boost": "trains components one after another, each where modes are missing",
    "sample": "generates images of chosen codes",
    "encode": "writes the codes of images",
    "sort": "sorts a folder of pictures by category",
    "nearest": "finds the images that are most like a picture",
    "gif": "draws an animation of each continuous code",
    "export": "writes ONNX, safetensors and jax.export for other programs",
    "name": "names the codes and categories of a run",
}


def main() -> None:
    """Runs the command that the first argument names; its flags follow."""
    from infogan_jax.commands import program

    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command not in COMMANDS:
        lines = [f"  infogan {name:<7} {text}" for name, text in COMMANDS.items()]
        usage = "\n".join(["usage: infogan COMMAND [--FLAG=VALUE ...]", *lines])
        if command in ("--help", "-h", "help"):
            sys.exit(
                print(
                    f"{usage}\n\ninfogan COMMAND --help lists the flags of a command."
                )
            )
        sys.exit(_refuse(command, usage))
    sys.argv[:2] = [f"infogan {command}"]
    module = importlib.import_module(f"infogan_jax.commands.{command}")
    program.run(module.define_flags, module.main)


def _refuse(command: str, usage: str) -> int:
    what = f"{command!r} is not a command" if command else "a command is missing"
    sys.stderr.write(f"infogan: {what}; take one of {', '.join(COMMANDS)}.\n")
    if not command:
        print(usage)
    return 2


if __name__ == "__main__":
    main()
