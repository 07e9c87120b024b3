"""Which inputs a convolution's outputs read: whole numbers, along one dimension.

Output o reads input i through tap t where `period` * i = `pace` * o + `sign` * t +
`offset`. A convolution, a transposed one and the gradients of both are of this form.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Run:
    """Outputs along one dimension that read through the same taps.

    Attributes:
      outputs: their places, evenly spaced.
      taps: of the kernel.
      inputs: for each tap, the places of what it is multiplied with.
    """

    outputs: slice
    taps: slice
    inputs: tuple[slice, ...]

    @property
    def tapped(self) -> list[tuple[slice, int]]:
        """Pairs of inputs and the tap that reads them."""
        places = range(self.taps.start, self.taps.stop, self.taps.step)
        return list(zip(self.inputs, places, strict=True))


@dataclass(frozen=True)
class Links:
    """A convolution along one dimension, by the numbers of the equation above.

    Attributes:
      outputs: how many.
      inputs: how many.
      size: of the kernel.
      period: outputs that lie a multiple of it apart read through the same taps,
      pace: and what they read lies as many multiples of this apart.
      sign: 1 or -1.
      offset: `period` times the input that output 0 reads through tap 0.
    """

    outputs: int
    inputs: int
    size: int
    period: int
    pace: int
    sign: int
    offset: int

    @property
    def transposed(self) -> "Links":
        """The same links seen from the inputs, as the gradient needs them."""
        return replace(
            self,
            outputs=self.inputs,
            inputs=self.outputs,
            period=self.pace,
            pace=self.period,
            sign=-self.sign,
            offset=-self.offset,
        )

    @property
    def margins(self) -> tuple[int, int]:
        """How many inputs are missing before the first and after the last."""
        reads = [read for made in range(self.outputs) for read, _ in self._reads(made)]
        return max(0, -min(reads)), max(0, max(reads) - self.inputs + 1)

    def runs(self, padded: bool) -> list[list[Run]]:
        """Runs in order of their outputs, for each of the `period` phases.

        With `padded` the inputs have got `margins`: all outputs of a phase are one run.
        """
        low, high = self.margins if padded else (0, 0)
        found: list[list[Run]] = []
        for phase in range(min(self.period, self.outputs)):
            alike: dict[tuple[int, ...], list[int]] = {}
            for made in range(phase, self.outputs, self.period):
                taps = [
                    t for i, t in self._reads(made) if -low <= i < self.inputs + high
                ]
                alike.setdefault(tuple(taps), []).append(made)
            found.append([self._run(*group, low) for group in alike.items()])
        return found

    def _reads(self, made: int) -> list[tuple[int, int]]:
        places = [
            (self.pace * made + self.sign * tap + self.offset, tap)
            for tap in range(self.size)
        ]
        return [(at // self.period, tap) for at, tap in places if at % self.period == 0]

    def _run(self, taps: tuple[int, ...], outputs: list[int], low: int) -> Run:
        step = taps[1] - taps[0] if len(taps) > 1 else 1
        span = (len(outputs) - 1) * self.pace + 1
        starts = [read + low for read, tap in self._reads(outputs[0]) if tap in taps]
        return Run(
            slice(outputs[0], outputs[-1] + 1, self.period),
            slice(taps[0], taps[-1] + 1, step),
            tuple(slice(start, start + span, self.pace) for start in starts),
        )


def conv_links(length: int, stride: int, size: int) -> Links:
    """Of a convolution with SAME padding, along a side of `length` inputs."""
    outputs = -(-length // stride)
    margin = max((outputs - 1) * stride + size - length, 0) // 2
    return Links(outputs, length, size, 1, stride, 1, -margin)


def upconv_links(length: int, stride: int, size: int) -> Links:
    """Of `lax.conv_transpose` with SAME padding, to `stride` times the length."""
    margin, _ = upconv_margins(stride, size)
    return Links(length * stride, length, size, stride, 1, 1, -margin)


def upconv_margins(stride: int, size: int) -> tuple[int, int]:
    """Padding before and after inputs that are `stride` apart, for the same upconv."""
    before = size - 1 if stride > size - 1 else (size + stride - 1) // 2
    return before, size + stride - 2 - before
