"""Trains and evaluates several seeds: `python seeds.py --config=... --seeds=5`."""

from infogan_jax.commands import program, seeds

if __name__ == "__main__":
    program.run(seeds.define_flags, seeds.main)
