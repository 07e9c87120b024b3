"""No two purposes of a seed draw the same random numbers."""

import jax
import numpy as np
import pytest

from infogan_jax.model.random_keys import PURPOSES, root_key

FOLDED = 10_000


def rows(keys):
    return np.asarray(jax.random.key_data(keys)).reshape(-1, 2)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_keys_of_all_purposes_and_of_the_first_10_000_steps_differ(seed):
    roots = [root_key(seed, purpose) for purpose in PURPOSES]
    fold = jax.jit(jax.vmap(jax.random.fold_in, (None, 0)))
    keys = [rows(jax.random.key(seed)), *map(rows, roots)]
    keys += [rows(jax.random.split(root, 4)) for root in roots[:1]]
    keys += [rows(fold(root, np.arange(FOLDED))) for root in roots[1:]]
    together = np.concatenate(keys)
    assert len(together) > 4 * FOLDED
    assert len(np.unique(together, axis=0)) == len(together)
