"""The page in a real browser: what it shows is what `traversals` computes.

It needs Chromium with its driver (`apt-get install chromium chromium-driver`), and is
skipped where there is none.
"""

import base64
import io
import shutil
import threading
import time

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from infogan_jax.analysis import traversals
from infogan_jax.data.dataset import Split
from infogan_jax.explorer import server, views
from infogan_jax.trained import loading

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run
--disable-background-networking --disable-component-update --disable-sync
--force-device-scale-factor=1 --window-size=1400,1000"""
PICTURE = np.random.default_rng(0).integers(0, 256, (8, 8, 1), np.uint8)
GAP = 2

pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER),
    reason="no Chromium: apt-get install chromium chromium-driver",
)


@pytest.fixture(scope="module")
def run(trained_run, tmp_path_factory):
    place = tmp_path_factory.mktemp("browser") / "run"
    return loading.load(shutil.copytree(trained_run, place))


@pytest.fixture(scope="module")
def address(run):
    app = server.create_app(run, lambda: Split(np.stack([PICTURE] * 3)))
    answering = server.make_server(app)
    with server.listen(0) as listening:
        thread = threading.Thread(
            target=answering.run, kwargs={"sockets": [listening]}, daemon=True
        )
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        answering.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_script_timeout(30)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, address):
    browser.get(address)
    wait(browser, "return document.querySelector('canvas.traversal')?.width > 300")
    settle(browser)
    yield browser
    assert [line for line in browser.get_log("browser")] == []


def wait(browser, script, seconds=30):
    end = time.monotonic() + seconds
    while not browser.execute_script(script):
        assert time.monotonic() < end, script
        time.sleep(0.02)


def settle(browser):
    """Waits until no request is open and nothing is drawn any more."""
    wait(browser, "return document.body.dataset.busy === '0'")


def shown(browser, kind, row, columns):
    """The images of a row as they are on the page, [columns, 8, 8]."""
    script = f"return document.querySelectorAll('canvas.{kind}')[{row}].toDataURL()"
    content = base64.b64decode(browser.execute_script(script).split(",")[1])
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
    scale = (pixels.shape[1] + GAP) // columns - GAP
    cells = [pixels[:, i * (scale + GAP) :][:, :scale] for i in range(columns)]
    scale //= 8
    return np.stack([cell[scale // 2 :: scale, scale // 2 :: scale] for cell in cells])


def slide(browser, code, value):
    """Moves a slider as a hand does: an input event at every step on the way."""
    browser.execute_script(
        "const slider = document.querySelector(`#code-${arguments[0]} [type=range]`);"
        "for (let k = 1; k <= 20; k++) { slider.value = (arguments[1] * k) / 20;"
        "slider.dispatchEvent(new Event('input', { bubbles: true })); }",
        code,
        value,
    )
    settle(browser)


def press(browser, selector, text=None):
    for found in browser.find_elements("css selector", selector):
        if text is None or found.text == text:
            found.click()
            settle(browser)
            return
    raise AssertionError(f"no {selector} with {text!r}")


def expected(run, seed, values, kept=5):
    codes = {code.name: 0.0 for code in run.codes} | values
    text = ", ".join(f"{name}={value}" for name, value in codes.items())
    return run.sample(kept, text, seed=seed)[..., 0]


def test_a_slider_changes_the_pixels_to_those_of_its_codes(page, run):
    before = shown(page, "samples", 3, views.COLUMNS)
    np.testing.assert_array_equal(before, expected(run, 3, {"categorical_0": 3}))
    slide(page, "uniform_1", 1.5)
    after = shown(page, "samples", 3, views.COLUMNS)
    assert np.abs(after.astype(int) - before).max() > 0
    moved = {"categorical_0": 3, "uniform_1": 1.5}
    np.testing.assert_array_equal(after, expected(run, 3, moved))


def test_a_category_fills_every_row(page, run):
    press(page, "#code-categorical_0 button", "7")
    for row in (0, 9):
        np.testing.assert_array_equal(
            shown(page, "samples", row, views.COLUMNS),
            expected(run, row, {"categorical_0": 7}),
        )


@pytest.mark.parametrize("name", ["categorical_0", "uniform_2"])
def test_the_page_shows_what_traversals_computes(page, run, name):
    press(page, "#code-categorical_0 button", "4")
    slide(page, "uniform_0", -1)
    press(page, f"#code-{name} input[type=radio]")
    code = run.code(name)
    chosen = "categorical_0=4, uniform_0=-1, uniform_1=0, uniform_2=0, uniform_3=0"
    base = run.latents(1, chosen, seed=6)
    drawn, columns = traversals.traverse(code, base, views.STEPS)
    np.testing.assert_array_equal(
        shown(page, "traversal", 6, columns), run.generate(drawn)[..., 0]
    )
    assert page.find_element("id", "traversed").text == f"traversal of {name}"


def test_new_rows_come_where_no_pin_is(page, run):
    page.find_elements("css selector", ".row input[type=checkbox]")[1].click()
    press(page, "#new")
    numbers = [each.text for each in page.find_elements("css selector", ".row label")]
    assert numbers[:3] == ["10", "1", "11"]
    for row, seed in ((0, 10), (1, 1)):
        np.testing.assert_array_equal(
            shown(page, "samples", row, views.COLUMNS),
            expected(run, seed, {"categorical_0": row}),
        )


def test_a_name_is_kept_and_shown_again(page, run):
    name = "#code-uniform_3 .name [type=text]"
    field = page.find_element("css selector", name)
    field.send_keys(Keys.CONTROL + "a")
    field.send_keys("slant" + Keys.TAB)
    end = time.monotonic() + 10
    while not (run.workdir / "names.json").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    assert loading.load(run.workdir).names == {"uniform_3": "slant"}
    page.refresh()
    wait(page, f"return document.querySelector('{name}')")
    field = page.find_element("css selector", name)
    assert field.get_attribute("value") == "slant"


def test_a_dropped_picture_is_read(page, run):
    content = io.BytesIO()
    Image.fromarray(PICTURE[..., 0]).save(content, "PNG")
    page.execute_script(
        "const bytes = Uint8Array.from(atob(arguments[0]), (c) => c.charCodeAt(0));"
        "const data = new DataTransfer();"
        "data.items.add(new File([bytes], 'a.png', { type: 'image/png' }));"
        "document.getElementById('drop').dispatchEvent("
        "new DragEvent('drop', { dataTransfer: data, bubbles: true }))",
        base64.b64encode(content.getvalue()).decode(),
    )
    wait(
        page,
        "return document.getElementById('among').textContent.includes('nearest of')",
    )
    read = run.encode(PICTURE[None])
    chances = read["categorical_0/probabilities"][0]
    table = page.find_element("id", "read").text
    assert f"{chances.argmax()}: {chances.max():.3f}" in table
    mean, sd = (float(read[f"uniform_1/{part}"][0]) for part in ("mean", "sd"))
    assert f"{mean:.2f} ± {sd:.2f}" in table
    assert "nearest of 3 training images" in page.find_element("id", "among").text
    press(page, "#take")
    selected = page.find_elements(
        "css selector", "#code-categorical_0 [aria-pressed=true]"
    )
    assert [each.text for each in selected] == [str(chances.argmax())]
    value = page.find_element("css selector", "#code-uniform_1 [type=range]")
    assert float(value.get_attribute("value")) == pytest.approx(mean, abs=0.026)
