"""The page of an evaluation is valid, escapes all text and needs no other file."""

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from infogan_jax.analysis.report import (
    curves,
    embedded,
    meanings,
    numbers,
    page,
    strips,
)
from infogan_jax.analysis.report.section import Measure, Section, Table
from infogan_jax.analysis.report.strips import Strip
from infogan_jax.model.latents import Code

HOSTILE = '<script>alert("1 & 2")</script>'
PNG = b"\x89PNG\r\n\x1a\n any bytes"
LINES = [
    {"step": 10, "loss/a": 1.0, "loss/b": 2.0, "jsd_bound": 0.5},
    {"step": 20, "loss/a": float("nan"), "loss/b": 4.0, "jsd_bound": 0.25},
    {"step": 40, "loss/a": 3.0, "loss/b": 3.0},
]


class Parser(HTMLParser):
    """Collects elements and text, and checks that every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "input", "path", "polyline"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def table(rows, columns, name="a"):
    values = np.arange(rows * columns).reshape(rows, columns)
    return Table(
        HOSTILE,
        tuple(f"{name}{row}" for row in range(rows)),
        tuple(f"{HOSTILE}{column}" for column in range(columns)),
        values,
        values / values.max(),
    )


@pytest.fixture(scope="module")
def text():
    measures = {HOSTILE: Measure(0.25, "nat", f"of {HOSTILE}")}
    sections = {
        HOSTILE: Section(measures, {"cells": table(2, 3)}),
        "Factors": Section(left_out=HOSTILE),
    }
    shown = "".join(numbers.html(name, each) for name, each in sections.items())
    strip = Strip(
        Code("c", "uniform"), ("b", HOSTILE), np.zeros((2, 10, 8, 8, 1), "u1")
    )
    parts = {
        HOSTILE: strips.html(strip, {"c": HOSTILE}),
        "Curves": curves.html(LINES),
        "Picture": embedded.image_of_bytes(PNG, HOSTILE),
        "Numbers": shown,
    }
    return page.build_page(HOSTILE, [HOSTILE], parts, HOSTILE)


def test_every_name_is_text_and_never_markup(text):
    parsed = Parser(text)
    assert len(parsed.all("script")) == text.count("<script>") == 1
    shown = "\n".join(parsed.texts)
    # title twice, line, heading, strip and its value, section, name, protocol, reason,
    # caption, 3 columns, config
    assert shown.count(HOSTILE) == 15
    assert parsed.all("img")[-1]["alt"] == HOSTILE
    [strip] = parsed.all("figure")
    assert json.loads(strip["data-values"]) == ["b", HOSTILE]


def test_nothing_is_loaded_from_elsewhere(text):
    parsed = Parser(text)
    assert text.startswith("<!DOCTYPE html>")
    assert "http" not in text and "url(" not in text and "@import" not in text
    assert not parsed.all("link")
    assert parsed.all("script") == [{}]
    *_, image = parsed.all("img")
    kind, data = image["src"].split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == PNG


def test_a_number_has_its_unit_and_protocol_beside_it(text):
    texts = [each for each in Parser(text).texts if each]
    at = texts.index("0.2500")
    assert texts[at - 1 : at + 3] == [HOSTILE, "0.2500", "nat", f"of {HOSTILE}"]


def test_a_number_says_once_what_it_means():
    names = ("nmi_test", "mi_bound/a", "mi_bound/b", "ari_test")
    section = Section({name: Measure(0.5, "nat", "protocol") for name in names})
    texts = Parser(numbers.html("Information", section)).texts
    assert texts.count(meanings.meaning("mi_bound/a")) == 1
    assert texts.count("As in the row above.") == 1
    assert texts.count(meanings.meaning("ari_test")) == 1


def test_the_style_of_a_cell_has_its_shade(text):
    shades = [cell["style"] for cell in Parser(text).all("td") if "style" in cell]
    assert shades == [f"--shade: {12 * k}%" for k in range(6)]


def test_a_page_has_styles_for_phones_and_for_dark_mode(text):
    assert "prefers-color-scheme: dark" in text
    assert any(meta.get("name") == "viewport" for meta in Parser(text).all("meta"))
    assert "@media (max-width:" in text


def test_of_a_large_table_only_the_name_of_its_file_is_shown():
    huge = Section(tables={"confusion": table(2, 200)})
    text = numbers.html("Classes", huge)
    assert not Parser(text).all("table")
    assert any(each.startswith("confusion.csv") for each in Parser(text).texts)


def test_a_part_without_content_has_no_heading():
    text = page.build_page("a", [], {"Curves": curves.html([]), "Rest": "<p>b</p>"}, "")
    assert "<h2>Curves</h2>" not in text and "<h2>Rest</h2>" in text


def test_the_curves_go_through_their_points():
    [low, high] = re.findall(r'points="([^"]+)"', curves.html(LINES))[:2]
    points = [tuple(map(float, point.split(","))) for point in high.split()]
    assert [x for x, _ in points] == [250.0, 500.0, 1000.0]
    ticks = [
        float(t)
        for t in re.findall(r"<i style=[^>]+>([-\d.]+)</i>", curves.html(LINES))
    ]
    bottom, top = ticks[0], max(ticks[: ticks.index(max(ticks)) + 1])
    for (_, y), line in zip(points, LINES, strict=True):
        assert bottom + (1 - y / 1000) * (top - bottom) == pytest.approx(
            line["loss/b"], abs=1e-3
        )
    assert len(low.split()) == 2, "a number that is missing or not finite is left out"


def test_the_table_of_a_curve_has_every_value_to_read_off():
    rows = [row for row in Parser(curves.html(LINES)).all("tr") if "data-values" in row]
    assert [json.loads(row["data-values"]) for row in rows] == [
        [1.0, None, 3.0],
        [2.0, 4.0, 3.0],
        [0.5, 0.25, None],
    ]
