"""The page of an evaluation is valid, escapes all text and needs no other file."""

import base64
from html.parser import HTMLParser

import numpy as np
import pytest

from infogan_jax.analysis.report import page
from infogan_jax.analysis.report.page import Figure
from infogan_jax.analysis.report.section import Measure, Section, Table

HOSTILE = '<script>alert("1 & 2")</script>'
PNG = b"\x89PNG\r\n\x1a\n any bytes"


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
    sections = {
        "Information": Section(measures, {"cells": table(2, 3)}),
        "Factors": Section(left_out=HOSTILE),
    }
    return page.build_page(
        HOSTILE, [HOSTILE], sections, [Figure(HOSTILE, PNG)], HOSTILE
    )


def test_every_name_is_text_and_never_markup(text):
    parsed = Parser(text)
    assert not parsed.all("script")
    assert text.count("<script>") == 0
    shown = "\n".join(parsed.texts)
    # title twice, line, name, protocol, reason, 2 captions, 3 columns, config
    assert shown.count(HOSTILE) == 12
    assert parsed.all("img")[0]["alt"] == HOSTILE


def test_nothing_is_loaded_from_elsewhere(text):
    parsed = Parser(text)
    assert text.startswith("<!DOCTYPE html>")
    assert "http" not in text and "url(" not in text and "@import" not in text
    assert not parsed.all("link")
    [image] = parsed.all("img")
    kind, data = image["src"].split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == PNG


def test_a_number_has_its_unit_and_protocol_beside_it(text):
    texts = [each for each in Parser(text).texts if each]
    at = texts.index("0.2500")
    assert texts[at - 1 : at + 3] == [HOSTILE, "0.2500", "nat", f"of {HOSTILE}"]


def test_the_style_of_a_cell_has_its_shade(text):
    shades = [cell["style"] for cell in Parser(text).all("td") if "style" in cell]
    assert shades == [f"--shade: {12 * k}%" for k in range(6)]


def test_a_page_has_styles_for_phones_and_for_dark_mode(text):
    assert "prefers-color-scheme: dark" in text
    assert any(meta.get("name") == "viewport" for meta in Parser(text).all("meta"))
    assert "@media (max-width:" in text


def test_of_a_large_table_only_the_name_of_its_file_is_shown():
    huge = Section(tables={"confusion": table(2, 200)})
    text = page.build_page("a", ["b"], {"Classes": huge}, [], "c")
    assert not Parser(text).all("table")
    assert any(each.startswith("confusion.csv") for each in Parser(text).texts)
