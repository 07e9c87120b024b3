"""Memory: how much of it a device can give."""

from pathlib import Path

import jax


def available(device: jax.Device) -> int | None:
    """Returns the bytes that a device can give to this process; None if unknown.

    On a CPU this is what the machine can free at once, its cache of files included, or
    what the limit of a container leaves; elsewhere it is the device's limit.
    """
    if device.platform != "cpu":
        known = device.memory_stats() or {}
        return known.get("bytes_limit")
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    free = [int(kibibytes) * 1024 for kibibytes in found]
    return min(free + _left_in_container(), default=None)


CONTAINER = Path("/sys/fs/cgroup")


def _left_in_container() -> list[int]:
    """Returns the bytes that a container's limit leaves; nothing without a limit.

    The kernel gives back its cache of files when memory is needed.
    """
    try:
        limit, used = (
            int((CONTAINER / f"memory.{name}").read_text())
            for name in ("max", "current")
        )
        lines = (CONTAINER / "memory.stat").read_text().splitlines()
        stat = {name: int(value) for name, value in map(str.split, lines)}
    except (OSError, ValueError):  # no container, or its limit is the word "max"
        return []
    cache = stat.get("active_file", 0) + stat.get("inactive_file", 0)
    return [max(limit - used + cache, 0)]
