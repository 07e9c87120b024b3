"""Which inputs an output reads: written out by hand, and against a plain loop."""

from itertools import product

import pytest

from infogan_jax.links import conv_links, upconv_links


def written_out(links, padded=False):
    """(output, input, tap) for every product of inputs and taps, from the runs."""
    low = links.margins[0] if padded else 0
    found = []
    for run in (run for phase in links.runs(padded) for run in phase):
        for places, tap in run.tapped:
            made = range(run.outputs.start, run.outputs.stop, run.outputs.step or 1)
            read = range(places.start, places.stop, places.step or 1)
            pairs = zip(made, read, strict=True)
            found += [(output, at - low, tap) for output, at in pairs]
    return sorted(found)


def looped(length, stride, size, is_up):
    """The same triples from the definition of SAME padding."""
    outputs = length * stride if is_up else -(-length // stride)
    if is_up:
        before = size - 1 if stride > size - 1 else -(-(size + stride - 2) // 2)
    else:
        before = max((outputs - 1) * stride + size - length, 0) // 2
    triples = []
    for output, tap in product(range(outputs), range(size)):
        at = output * (1 if is_up else stride) + tap - before
        spacing = stride if is_up else 1
        if at % spacing == 0 and 0 <= at // spacing < length:
            triples.append((output, at // spacing, tap))
    return sorted(triples)


def test_two_outputs_of_four_inputs_leave_out_one_tap_each():
    first, last = conv_links(4, 2, 4).runs(padded=False)[0]
    assert (first.outputs, first.taps) == (slice(0, 1, 1), slice(1, 4, 1))
    assert [places.start for places in first.inputs] == [0, 1, 2]
    assert (last.outputs, last.taps) == (slice(1, 2, 1), slice(0, 3, 1))
    assert [places.start for places in last.inputs] == [1, 2, 3]


def test_four_outputs_of_two_inputs_read_one_two_two_and_one():
    assert written_out(upconv_links(2, 2, 4)) == [
        (0, 0, 2), (1, 0, 1), (1, 1, 3), (2, 0, 0), (2, 1, 2), (3, 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("length", [1, 2, 3, 5, 8])
@pytest.mark.parametrize(("make", "is_up"), [(conv_links, False), (upconv_links, True)])
def test_the_runs_are_all_products_that_do_not_fall_on_padding(
    make, is_up, length, stride
):
    links = make(length, stride, 4)
    expected = looped(length, stride, 4, is_up)
    assert written_out(links) == expected
    turned = sorted((read, made, tap) for made, read, tap in expected)
    assert written_out(links.transposed) == turned
    assert links.transposed.transposed == links


@pytest.mark.parametrize("links", [conv_links(7, 2, 4), upconv_links(7, 2, 4)])
def test_with_margins_a_phase_is_one_run_and_the_rest_falls_on_padding(links):
    assert [len(runs) for runs in links.runs(padded=True)] == [1] * links.period
    inside = [
        triple
        for triple in written_out(links, padded=True)
        if 0 <= triple[1] < links.inputs
    ]
    assert inside == written_out(links)
    taps = links.size // links.period
    assert len(written_out(links, padded=True)) == links.outputs * taps


def test_seven_inputs_lack_one_on_either_side():
    assert conv_links(14, 2, 4).margins == (1, 1)
    assert upconv_links(7, 2, 4).margins == (1, 1)
