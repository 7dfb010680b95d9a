"""The gallery in a real browser, from disk: versions play together, switching keeps the place."""

import numpy as np
import pytest
from sounds import tone
from webdriver import chromium

from shellac import audio
from shellac.report import gallery, pictures
from shellac.report.gallery import Item, Version

pytestmark = pytest.mark.browser
RATE, SECONDS = 16000, 30.0
HEARD = "Player.all[0].sounds.map((sound) => !sound.muted)"
PLACE = "Player.all[0].now.currentTime"
DRIFT = 0.25  # seconds; a slow machine plays on between two questions


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture
def shown_page(window, tmp_path):
    versions = []
    for place in range(3):
        wave = 0.3 * tone(SECONDS, RATE, seed=place)
        audio.write(tmp_path / f"{place}.flac", wave, RATE)
        level = pictures.measure(wave, RATE)
        drawn = pictures.thumbnail(level, SECONDS, RATE, level.top_db)
        pictures.save(drawn, tmp_path / f"{place}.png")
        versions.append(Version(f"Version {place}", "#1f4e8c", f"{place}.flac", f"{place}.png"))
    items = [Item(title, "about", SECONDS, tuple(versions)) for title in ("First", "Second")]
    gallery.write(tmp_path / "index.html", "Gallery", ["about"], items)
    window.open((tmp_path / "index.html").as_uri())
    return window


def shown(shown_page):
    return shown_page.run(
        "return [...document.querySelectorAll('section:first-of-type img')]"
        ".map((img) => getComputedStyle(img).visibility === 'visible' && img.naturalWidth > 0)"
    )


def test_switching_by_keys_keeps_the_place_and_the_picture_follows(shown_page):
    shown_page.run("document.querySelector('.versions button').focus()")
    shown_page.press("space")
    shown_page.wait(f"{PLACE} > 0.3")
    for key, chosen in (("2", 1), ("right", 2), ("right", 0), ("left", 2)):
        shown_page.press(key)
        assert shown_page.run(f"return {HEARD}") == [place == chosen for place in range(3)]
        assert shown(shown_page) == [place == chosen for place in range(3)]
        places = shown_page.run("return Player.all[0].sounds.map((sound) => sound.currentTime)")
        assert np.ptp(places) < DRIFT
        assert shown_page.run("return Player.all[0].sounds.every((sound) => !sound.paused)")
        checked = "[...document.querySelectorAll('section:first-of-type [aria-checked=true]')]"
        assert shown_page.run(f"return {checked}.map((button) => button.textContent)") == [
            f"Version {chosen}"
        ]
    shown_page.press("space")
    assert shown_page.run("return Player.all[0].sounds.every((sound) => sound.paused)")
    assert shown_page.complaints() == []


def test_one_recording_plays_at_a_time_and_a_place_can_be_chosen(shown_page):
    shown_page.click("section:nth-of-type(1) .transport button")
    shown_page.wait(f"{PLACE} > 0.1")
    shown_page.click("section:nth-of-type(2) .transport button")
    shown_page.wait("Player.all[1].now.currentTime > 0.1")
    assert shown_page.run("return Player.all[0].sounds.every((sound) => sound.paused)")
    shown_page.run(
        "const slider = document.querySelector('section:nth-of-type(1) input');"
        "slider.value = 20; slider.dispatchEvent(new Event('input'));"
    )
    assert (
        shown_page.run("return Player.all[0].sounds.map((s) => Math.round(s.currentTime))")
        == [20] * 3
    )
    assert shown_page.complaints() == []


def test_a_narrow_window_needs_no_sideways_scrolling(shown_page):
    shown_page.devtools("Emulation.setDeviceMetricsOverride", width=360, height=700,
                  deviceScaleFactor=1, mobile=True)  # fmt: skip
    assert shown_page.run("return document.documentElement.scrollWidth") <= 360
    shown_page.devtools("Emulation.clearDeviceMetricsOverride")
