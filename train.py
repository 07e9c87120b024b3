"""Trains an InfoGAN: `python train.py --config=configs/digits.py --workdir=...`."""

from infogan_jax.commands import program, train

if __name__ == "__main__":
    program.run(train.define_flags, train.main)
