"""The page of an evaluation is whole, safe and needs nothing else."""

import base64
from html.parser import HTMLParser

import numpy as np
import pytest

from infogan_jax.analysis.report import page
from infogan_jax.analysis.report.page import Figure
from infogan_jax.analysis.report.section import Measure, Section, Table

HOSTILE = '<script>alert("1 & 2")</script>'
PNG = b"\x89PNG\r\n\x1a\n any bytes"


class Reader(HTMLParser):
    """Notes elements and text, and that every element ends where it should."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

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
    findings = {
        "Information": Section(measures, {"cells": table(2, 3)}),
        "Factors": Section(left_out=HOSTILE),
    }
    return page.build_page(
        HOSTILE, [HOSTILE], findings, [Figure(HOSTILE, PNG)], HOSTILE
    )


def test_every_name_is_text_and_never_markup(text):
    read = Reader(text)
    assert not read.all("script")
    assert text.count("<script>") == 0
    shown = "\n".join(read.texts)
    # title twice, line, name, protocol, reason, two captions, 3 columns, config
    assert shown.count(HOSTILE) == 12
    assert read.all("img")[0]["alt"] == HOSTILE


def test_nothing_is_loaded_from_elsewhere(text):
    read = Reader(text)
    assert text.startswith("<!DOCTYPE html>")
    assert "http" not in text and "url(" not in text and "@import" not in text
    assert not read.all("link")
    [image] = read.all("img")
    kind, data = image["src"].split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == PNG


def test_a_number_has_its_unit_and_protocol_beside_it(text):
    texts = [each for each in Reader(text).texts if each]
    at = texts.index("0.2500")
    assert texts[at - 1 : at + 3] == [HOSTILE, "0.2500", "nat", f"of {HOSTILE}"]


def test_a_cell_is_shaded_by_its_strength(text):
    shades = [cell["style"] for cell in Reader(text).all("td") if "style" in cell]
    assert shades == [f"--shade: {12 * k}%" for k in range(6)]


def test_a_page_fits_phones_and_the_dark(text):
    assert "prefers-color-scheme: dark" in text
    assert any(meta.get("name") == "viewport" for meta in Reader(text).all("meta"))
    assert "@media (max-width:" in text


def test_a_table_too_large_to_read_is_left_to_its_file():
    huge = Section(tables={"confusion": table(2, 200)})
    text = page.build_page("a", ["b"], {"Classes": huge}, [], "c")
    assert not Reader(text).all("table")
    assert any(each.startswith("confusion.csv") for each in Reader(text).texts)
