"""What the player shows and does in a real browser: Chromium, driven by chromedriver (Debian: chromium-driver)."""

import base64
import contextlib
import io
import json
import random
import re
import shutil
import subprocess
import time
import urllib.request

import numpy as np
import pytest
from PIL import Image

from spiral import Brush, Program, Stroke, replay
from spiral.canvas import CanvasSpec
from spiral.film import painting_frames
from spiral.player import Mark, player_html, program_player

pytestmark = pytest.mark.skipif(
    not (shutil.which("chromedriver") and shutil.which("chromium")), reason="needs chromium and chromium-driver"
)
PIXEL_RATIO = 1.5  # pixels of the screen for one of the page; no whole number, since that is harder to keep sharp
WAIT = 10.0  # seconds, at most
LEFT, RIGHT, UP, HOME, END, SPACE = "\ue012", "\ue014", "\ue013", "\ue011", "\ue010", " "  # WebDriver's keys


class Browser:
    """A WebDriver session; see the W3C's WebDriver for the requests."""

    def __init__(self, port, profile):
        self.address = f"http://127.0.0.1:{port}/session"
        self.folder = profile
        flags = "headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking"
        flags += f" disable-component-update disable-sync hide-scrollbars user-data-dir={profile}"
        flags += f" force-device-scale-factor={PIXEL_RATIO}"
        options = {"args": [f"--{flag}" for flag in flags.split()]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = self.ask("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        self.address += "/" + session["sessionId"]

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def run(self, script):
        return self.ask("POST", "/execute/sync", {"script": script, "args": []})

    def command(self, name, **params):
        self.ask("POST", "/goog/cdp/execute", {"cmd": name, "params": params})

    def window(self, width, height, scheme="light"):
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=0, mobile=False
        )
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, page, moment=None):
        """Show a page, at a moment in seconds; nothing went wrong on it."""
        path = self.folder / "page.html"
        path.write_text(page)
        self.ask("POST", "/url", {"url": "about:blank"})
        self.ask("POST", "/url", {"url": path.as_uri() + ("" if moment is None else f"#t={moment}")})
        assert self.ask("POST", "/se/log", {"type": "browser"}) == []

    def press(self, *keys):
        presses = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": presses}]})

    def click(self, selector):
        found = self.ask("POST", "/element", {"using": "css selector", "value": selector})
        self.ask("POST", f"/element/{next(iter(found.values()))}/click", {})

    def wait_until(self, condition):
        end = time.monotonic() + WAIT
        while not self.run(f"return {condition}"):
            assert time.monotonic() < end, f"waited in vain for {condition}"
            time.sleep(0.02)

    def shown(self):
        """The picture as it is on the screen, int [H, W, 3]."""
        screen = Image.open(io.BytesIO(base64.b64decode(self.ask("GET", "/screenshot"))))
        box = self.run(
            "const box = document.getElementById('picture').getBoundingClientRect();"
            "return [box.left, box.top, box.right, box.bottom].map(side => side * devicePixelRatio)"
        )
        assert box == pytest.approx([round(side) for side in box], abs=0.05), "the picture lies between pixels"
        return np.asarray(screen.convert("RGB").crop([round(side) for side in box])).astype(int)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        driver = stack.enter_context(subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True))
        stack.callback(driver.terminate)
        port = next(found[1] for line in driver.stdout if (found := re.search(r"successfully on port (\d+)", line)))
        browser = Browser(port, tmp_path_factory.mktemp("chromium"))
        stack.callback(browser.ask, "DELETE", "")
        yield browser


@pytest.fixture
def browser(chromium):
    chromium.window(800, 700)
    return chromium


def painting(strokes, width=64, height=48, seed=1):
    """Strokes of all sorts: even, tapered, hairpins, dots, thick and thin, translucent."""
    rng = random.Random(seed)

    def stroke():
        start, control, end = ((rng.random(), rng.random()) for _ in range(3))
        start, control, end = rng.choice([(start, control, end), (start, control, start), (start, start, start)])
        pressure = rng.choice([(1.0, 1.0), (0.0, 0.0), (0.0, 1.0), (rng.random(), rng.random())])
        color = tuple(rng.random() for _ in range(3))
        return Stroke(start, control, end, Brush(rng.choice([1, 4, 12]) / 64, color, rng.uniform(0.3, 1.0), pressure))

    return Program(CanvasSpec(width, height, 3, (0.9, 0.95, 1.0)), tuple(stroke() for _ in range(strokes)))


@pytest.mark.parametrize(("width", "height"), [(64, 48), (32, 64)])
def test_the_player_shows_the_frames_of_the_film(browser, width, height):
    program = painting(30, width, height)
    page = program_player(program, seconds=10.0)
    for moment in (0, 3, 5, 10):
        browser.open(page, moment)
        shown = browser.shown()
        frame = list(painting_frames(program, frames=10, size=max(shown.shape)))[moment]
        off = np.abs(shown - frame)
        assert off.mean() < (0.6 if moment else 1e-9)
        assert (off.max(axis=2) > 64).sum() < 30


@pytest.mark.parametrize("pressure", [(1.0, 1.0), (0.2, 1.0)])
def test_half_of_a_stroke_is_shown_at_half_of_its_time(browser, pressure):
    stroke = Stroke((0.1, 0.1), (0.1, 0.9), (0.9, 0.9), Brush(0.2, opacity=0.5, pressure=pressure))
    program = Program(CanvasSpec(64, 64, 3), (stroke,))
    browser.open(program_player(program, seconds=2.0), moment=1.0)
    shown = browser.shown()
    _, half, _ = painting_frames(program, frames=2, size=len(shown))
    assert np.abs(shown - half).mean() < 0.1


def test_an_opaque_stroke_has_no_seams(browser):
    rng = random.Random(4)

    def stroke(left, top):
        points = [(left + rng.uniform(0.05, 0.2), top + rng.uniform(0.05, 0.2)) for _ in range(3)]
        return Stroke(*points, Brush(rng.uniform(0.02, 0.12), pressure=(rng.uniform(0.3, 1.0), rng.random())))

    strokes = tuple(stroke(column / 4, row / 4) for column in range(4) for row in range(4))
    program = Program(CanvasSpec(64, 64, 1), strokes)
    browser.open(program_player(program), moment=99)
    shown = browser.shown()[..., 0]
    covered = np.pad(replay(program, len(shown))[..., 0] == 0, 1)
    windows = np.lib.stride_tricks.sliding_window_view(covered, (3, 3))
    inside = windows.all(axis=(2, 3))
    assert inside.sum() > 10_000 and (shown[inside] == 0).all()


@pytest.mark.parametrize("moment", [2.9, 7.3, 9.8])
def test_going_back_shows_what_going_forward_does(browser, moment):
    browser.open(program_player(painting(100), seconds=10.0), moment)
    expected = browser.shown()
    for elsewhere in (10, 0.1, moment - 0.2, moment + 0.1):
        for there in (elsewhere, moment):
            browser.run(f"location.hash = 't={there}'")
            browser.wait_until(f"time == {there}")
    assert (browser.shown() == expected).all()


def test_few_snapshots_are_kept_of_many_strokes(browser):
    browser.open(program_player(painting(1000)), moment=99)
    assert 2 <= browser.run("return sheets[0].snapshots.length") <= 32


def label(browser):
    return browser.run("return document.getElementById('label').textContent")


def test_it_plays_when_it_is_opened_and_stops_at_the_end(browser):
    program = painting(5)
    browser.open(program_player(program, seconds=0.2))
    browser.wait_until("document.getElementById('time').value == 0.2")
    browser.wait_until("document.getElementById('play').textContent == 'Play'")
    shown = browser.shown()
    assert np.abs(shown - replay(program, max(shown.shape))).mean() < 0.6


def test_it_is_steered_by_keys(browser):
    browser.open(program_player(painting(4), seconds=400.0), moment=0)
    assert label(browser) == "0:00 / 6:40"
    browser.press(RIGHT, RIGHT)
    assert label(browser).startswith("stroke 2 of 4")
    browser.press(LEFT)
    assert label(browser).startswith("stroke 1 of 4")
    browser.press(END)
    assert label(browser) == "stroke 4 of 4 \u00b7 6:40 / 6:40"
    browser.press(LEFT)
    assert label(browser).startswith("stroke 3 of 4")
    browser.press(HOME)
    assert label(browser) == "0:00 / 6:40"
    browser.press(UP, SPACE)
    browser.wait_until("time > 0.1")
    assert browser.run("return [playing, document.getElementById('speed').value]") == [True, "15"]
    browser.press(SPACE)
    assert browser.run("return playing") is False


def test_it_is_steered_by_its_buttons(browser):
    browser.open(program_player(painting(4), seconds=400.0), moment=100)
    browser.click("#play")
    browser.wait_until("time > 100.1")
    browser.click("#picture")
    assert browser.run("return playing") is False
    browser.click("#restart")
    assert browser.run("return time") < 50 and browser.run("return playing") is True


def test_pen_up_moves_are_dashes_that_can_be_left_out(browser):
    across = [(10.0, 50.0, 3.0), (90.0, 50.0, 3.0)]
    marks = [Mark(across, (0.0, 0.0, 1.0), 1.0, 0.0, 1.0, "to the left", travel=True)]
    browser.open(player_html(marks, 100.0, 100.0, (1.0, 1.0, 1.0), "Travel"), moment=1)
    line = (browser.shown() < 200).any(axis=2)
    assert 0 < line.any(axis=1).sum() <= 2  # thin
    assert 8 < (np.diff(line.any(axis=0).astype(int)) == 1).sum() < 100  # dashes
    browser.click("#show-travel")
    assert (browser.shown() == 255).all()


def test_text_from_outside_does_nothing(browser):
    hostile = "</script><script>hacked = 1</script><img src=x onerror='hacked = 1'>"
    marks = [Mark([(1.0, 1.0, 1.0)], (0.0, 0.0, 0.0), 1.0, 0.0, 1.0, hostile)]
    browser.open(player_html(marks, 9.0, 9.0, (1.0, 1.0, 1.0), hostile, {hostile: hostile}), moment=1)
    assert browser.run("return typeof hacked") == "undefined"
    assert label(browser).startswith(hostile)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390), (1600, 1000)])
def test_it_fits_a_phone_and_a_desk_and_follows_the_window(browser, width, height):
    browser.open(program_player(painting(4)), moment=1)
    before = browser.run("return document.getElementById('painting').width")
    browser.window(width, height)
    browser.wait_until(f"document.getElementById('painting').width != {before}")
    wide, high, below = browser.run(
        "const box = document.getElementById('picture').getBoundingClientRect(), controls = "
        "document.getElementById('controls').getBoundingClientRect(); return [box.width, box.height, controls.bottom]"
    )
    assert below <= height  # nothing to scroll for
    assert wide > width - 50 or high > height - 200  # as large as can be


def test_a_dark_page_leaves_the_picture_as_it_is(browser):
    page = program_player(painting(10))
    browser.open(page, moment=2)
    light = browser.shown()
    browser.window(800, 700, scheme="dark")
    browser.open(page, moment=2)
    assert (browser.shown() == light).all()
    assert browser.run("return getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
