"""Trains every setting of some fields with several seeds, and ranks the settings.

No label is used for the ranking. A setting is good where its runs end without a warning
(codes that nobody sees, samples that are not like the data), and where its seeds agree
on the codes of the training images.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from hashlib import sha256
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from infogan_jax import experiment
from infogan_jax.analysis.report import plots
from infogan_jax.errors import RunFailure, UserError
from infogan_jax.fields import DEFAULTS, RULES
from infogan_jax.machine import processes
from infogan_jax.run.files import write_json
from infogan_jax.run.progress import say
from infogan_jax.several import seeds
from infogan_jax.several.job import Job

RECORD = "search.json"
PICTURE = "search.png"
VARY = 'write --vary="FIELD=VALUE|VALUE", such as --vary="objective.noise_sd=0|0.1"'

Setting = Mapping[str, Any]
"""Values of the varied fields, by their dotted names."""


def run(
    config: Mapping[str, Any],
    workdir: Path,
    varied: Sequence[str],
    count: int,
    *,
    quick: bool = False,
    accept_data: bool = False,
) -> int:
    """Trains and evaluates all settings, or goes on with them, and ranks them.

    On a CPU as many runs train side by side as there are cores. On an accelerator all
    runs that differ in nothing but seed, learning rates, instance noise and lambda are
    one program.

    Writes a directory for each setting, as `seeds.run` does, and `search.json` with the
    settings, the best first, and `search.png`, a picture of them.

    Args:
      config: as in `configs/`, nested; `varied` replaces some of its fields.
      workdir: where the directories go.
      varied: each a field and its values, as `objective.noise_sd=0|0.1`. The settings
        are all combinations.
      count: seeds of each setting, 2 at least; the first is `config.seed`.
      quick: whether to measure information and classes alone.
      accept_data: as in `training.train`.

    Returns:
      The exit status: 0, or 128 and the number of the signal that stopped it.

    Raises:
      UserError: for a mistake, before anything is compiled.
      RunFailure: where no setting has two seeds left to compare.
    """
    processes.refuse_several()
    seeds.check_count(count)
    settings = {directory_name(each): each for each in combinations(varied)}
    configs = {name: with_values(config, each) for name, each in settings.items()}
    kinds = {name: _kinds_of_codes(each) for name, each in configs.items()}
    places = {
        name: seeds.directories_of(configs[name]["seed"], count, workdir / name)
        for name in settings
    }
    jobs = {
        (name, seed): Job(f"{name}, seed {seed}", {**configs[name], "seed": seed}, path)
        for name, directories in places.items()
        for seed, path in directories.items()
    }
    say(f"{len(settings)} settings of {count} seeds: {len(jobs)} runs")
    run_all = seeds.runner()
    status, failed = run_all([*jobs.values()], quick=quick, accept_data=accept_data)
    if status:
        return status
    rows = []
    for name, directories in places.items():
        labels = {seed: jobs[name, seed].label for seed in directories}
        reasons = {s: failed[label] for s, label in labels.items() if label in failed}
        summary = _sum_up(workdir / name, directories, reasons, quick)
        about = {"directory": name, "setting": dict(settings[name])}
        rows.append({**about, "kinds": kinds[name], **summary})
    if not any(_is_whole(row) for row in rows):
        raise RunFailure(f"no setting has two runs to compare; see {workdir}.")
    rows = ranked(rows)
    write_json(workdir / RECORD, {"seeds": count, "settings": rows})
    plots.write_dots(workdir / PICTURE, *_dots(rows))
    say(table(rows, workdir))
    return 0


def _kinds_of_codes(config: Mapping[str, Any]) -> dict[str, str]:
    """Returns the kind of each code of a config, which is checked here."""
    codes = experiment.describe(config).algorithm.spec.codes
    if not codes:
        raise UserError("config.latents.codes is empty: no code to compare runs by.")
    return {code.name: code.kind for code in codes}


def _sum_up(
    workdir: Path,
    directories: Mapping[int, Path],
    failed: Mapping[int, str],
    quick: bool,
) -> dict[str, Any]:
    """Returns the content of `seeds.json`.

    Where fewer than two runs did not fail, it is only why the others failed.
    """
    try:
        return seeds.sum_up(workdir, directories, failed, quick=quick)
    except RunFailure as error:
        say(f"{workdir.name}: {error}")
        return {"failed": {str(seed): reason for seed, reason in failed.items()}}


def combinations(varied: Sequence[str]) -> list[Setting]:
    """Returns all combinations of the values of the varied fields.

    Args:
      varied: each a field and its values, as `objective.noise_sd=0|0.1`.

    Raises:
      UserError: where a field is unknown, named twice or cannot be varied, or a value
        is not one that it may have.
    """
    if not varied:
        raise UserError(f"--vary is missing; {VARY}.")
    values: dict[str, list[Any]] = {}
    for text in varied:
        name, equals, rest = text.removeprefix("config.").partition("=")
        if not equals:
            raise UserError(f"--vary (={text}) names no value; {VARY}.")
        if name not in DEFAULTS or name in ("seed", "name"):
            near = [f"Did you mean {n}?" for n in get_close_matches(name, DEFAULTS, 1)]
            raise UserError(
                f"--vary (={text}) must name a field of docs/config.md, other than "
                f"seed (use --seeds) and name. {' '.join(near)}".rstrip()
            )
        if name in values:
            raise UserError(f"--vary names {name} twice; {VARY}.")
        values[name] = [_value(name, part, text) for part in rest.split("|")]
    return [dict(zip(values, each, strict=True)) for each in product(*values.values())]


def _value(name: str, part: str, text: str) -> Any:
    """Returns a value of a field of a config, read from text."""
    kind = type(DEFAULTS[name])
    flags = {"true": True, "1": True, "false": False, "0": False}
    try:
        value = flags[part.lower()] if kind is bool else kind(part)
    except (KeyError, ValueError):
        value = None
    if value is None or not RULES[name].holds(value):
        raise UserError(
            f"--vary (={text}): {part!r} is no value of {name}, which must be "
            f"{RULES[name].relation}."
        )
    return value


def with_values(config: Mapping[str, Any], setting: Setting) -> dict[str, Any]:
    """Returns a nested config with the values of a setting."""
    flat = flatten_dict(dict(config), sep=".")
    nested: dict[str, Any] = unflatten_dict({**flat, **setting}, sep=".")
    return nested


def directory_name(setting: Setting) -> str:
    """Returns the name of a setting's directory, another one for each setting."""
    text = _text(setting)
    plain = re.sub(r"[^\w.,=+-]+", "_", text)[:100]
    if plain == text:
        return plain
    return f"{plain}-{sha256(text.encode()).hexdigest()[:8]}"


def ranked(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns the settings with the best first.

    First counts the share of runs without a warning, then the mean agreement of the
    seeds. A setting without two runs to compare comes last.

    Args:
      rows: of each setting, the content of its `seeds.json`.
    """

    def merit(row: Mapping[str, Any]) -> tuple[float, float]:
        agreements = row.get("agreement", [])
        mean = fmean(agreements) if agreements else -1.0
        return row.get("success_rate", -1.0), mean

    return [dict(row) for row in sorted(rows, key=merit, reverse=True)]


def table(rows: Sequence[Mapping[str, Any]], workdir: Path) -> str:
    """Returns the settings in a table for the terminal, the best first.

    Args:
      rows: as `ranked` returns them.
      workdir: of the search.
    """
    names, values = _dots(rows)
    lines = [["", "without warning", *values]]
    for row in rows:
        cells = [f"{row.get('success_rate', 0):.0%}"]
        if _is_whole(row):
            place = names.index(_text(row["setting"]))
            cells += [f"{fmean(each[place]):.3f}" for each in values.values()]
        lines.append([_text(row["setting"]), *cells])
    full = [line + ["failed"] * (len(lines[0]) - len(line)) for line in lines]
    widths = [max(map(len, column)) for column in zip(*full, strict=True)]
    text = [
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in full
    ]
    best = rows[0]
    return "\n".join(
        [
            *text,
            "Means over the seeds. The order is by runs without a warning, then by "
            "agreement of the seeds; neither needs labels.",
            f"best: {workdir / best['directory']}, of its seeds {best['chosen']}",
            f"all values: {workdir / RECORD}; picture: {workdir / PICTURE}",
        ]
    )


def quantities(row: Mapping[str, Any]) -> dict[str, list[float]]:
    """Returns what is shown of a setting: for each quantity, its value in each seed.

    Args:
      row: of a setting with runs to compare.
    """
    values = {name: each["values"] for name, each in row["metrics"].items()}
    found = {"agreement": list(row["agreement"])}
    for kind in dict.fromkeys(row["kinds"].values()):
        names = [name for name, other in row["kinds"].items() if other == kind]
        bounds = [values[f"mi_bound/{name}"] for name in names]
        found[f"L_I, {kind}"] = np.mean(bounds, axis=0).tolist()
    visible = [values[f"visible/{name}"] for name in row["kinds"]]
    found["least visible"] = np.min(visible, axis=0).tolist()
    starts = ("recall_", "coverage_", "frechet_", "accuracy_test")
    others = {n: v for n, v in values.items() if n.startswith(starts)}
    return found | {n: v for n, v in others.items() if not n.endswith("_rematched")}


def _is_whole(row: Mapping[str, Any]) -> bool:
    return "metrics" in row


def _text(setting: Setting) -> str:
    return ",".join(f"{name.split('.')[-1]}={v}" for name, v in setting.items())


def _dots(
    rows: Sequence[Mapping[str, Any]],
) -> tuple[list[str], dict[str, list[list[float]]]]:
    """Returns the settings, and the values of each quantity that all of them have."""
    whole = [row for row in rows if _is_whole(row)]
    shown = [quantities(row) for row in whole]
    names = [name for name in shown[0] if all(name in each for each in shown)]
    values = {name: [each[name] for each in shown] for name in names}
    return [_text(row["setting"]) for row in whole], values
