"""The command `infogan VERB --flags`, and `python -m infogan_jax VERB --flags`."""

import importlib
import sys

VERBS = {
    "train": "trains a config, or goes on with a run",
    "eval": "evaluates a run, or writes the codes of images",
    "seeds": "trains and evaluates several seeds, and sums up",
}


def main() -> None:
    """Runs the verb that the first argument names; its flags follow."""
    from infogan_jax.commands import program

    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    if verb not in VERBS:
        lines = [f"  infogan {name:<6} {text}" for name, text in VERBS.items()]
        usage = "\n".join(["usage: infogan VERB [--FLAG=VALUE ...]", *lines])
        if verb in ("--help", "-h", "help"):
            sys.exit(print(f"{usage}\n\ninfogan VERB --help has the flags of a verb."))
        sys.exit(_refuse(verb, usage))
    sys.argv[:2] = [f"infogan {verb}"]
    command = importlib.import_module(f"infogan_jax.commands.{verb}")
    program.run(command.define_flags, command.main)


def _refuse(verb: str, usage: str) -> int:
    what = f"{verb!r} is no verb" if verb else "a verb is missing"
    sys.stderr.write(f"infogan: {what}; take one of {', '.join(VERBS)}.\n")
    if not verb:
        print(usage)
    return 2


if __name__ == "__main__":
    main()
