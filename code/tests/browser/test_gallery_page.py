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
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture
def page(browser, tmp_path):
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
    browser.open((tmp_path / "index.html").as_uri())
    return browser


def shown(page):
    return page.run(
        "return [...document.querySelectorAll('section:first-of-type img')]"
        ".map((img) => getComputedStyle(img).visibility === 'visible' && img.naturalWidth > 0)"
    )


def test_switching_by_keys_keeps_the_place_and_the_picture_follows(page):
    page.run("document.querySelector('.versions button').focus()")
    page.press("space")
    page.wait(f"{PLACE} > 0.3")
    for key, chosen in (("2", 1), ("right", 2), ("right", 0), ("left", 2)):
        page.press(key)
        assert page.run(f"return {HEARD}") == [place == chosen for place in range(3)]
        assert shown(page) == [place == chosen for place in range(3)]
        places = page.run("return Player.all[0].sounds.map((sound) => sound.currentTime)")
        assert np.ptp(places) < DRIFT
        assert page.run("return Player.all[0].sounds.every((sound) => !sound.paused)")
        checked = "[...document.querySelectorAll('section:first-of-type [aria-checked=true]')]"
        assert page.run(f"return {checked}.map((button) => button.textContent)") == [
            f"Version {chosen}"
        ]
    page.press("space")
    assert page.run("return Player.all[0].sounds.every((sound) => sound.paused)")
    assert page.complaints() == []


def test_one_recording_plays_at_a_time_and_a_place_can_be_chosen(page):
    page.click("section:nth-of-type(1) .transport button")
    page.wait(f"{PLACE} > 0.1")
    page.click("section:nth-of-type(2) .transport button")
    page.wait("Player.all[1].now.currentTime > 0.1")
    assert page.run("return Player.all[0].sounds.every((sound) => sound.paused)")
    page.run(
        "const slider = document.querySelector('section:nth-of-type(1) input');"
        "slider.value = 20; slider.dispatchEvent(new Event('input'));"
    )
    assert page.run("return Player.all[0].sounds.map((s) => Math.round(s.currentTime))") == [20] * 3
    assert page.complaints() == []


def test_a_narrow_window_needs_no_sideways_scrolling(page):
    page.devtools("Emulation.setDeviceMetricsOverride", width=360, height=700,
                  deviceScaleFactor=1, mobile=True)  # fmt: skip
    assert page.run("return document.documentElement.scrollWidth") <= 360
    page.devtools("Emulation.clearDeviceMetricsOverride")
