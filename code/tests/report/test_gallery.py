"""The gallery's page: everything in one folder, names escaped, versions switched by script."""

import re

from shellac.report import gallery
from shellac.report.gallery import Item, Version


def test_a_page_names_every_version_and_nothing_from_elsewhere(tmp_path):
    versions = tuple(
        Version(label, "#123456", f"{place} #.flac", f"{place}.png")
        for place, label in enumerate(("Input", "A <b> & c"))
    )
    items = [Item("Disc <1>", "as it came", 8.0, versions)] * 2
    gallery.write(tmp_path / "index.html", "Title", ["one", "two"], items)
    text = (tmp_path / "index.html").read_text()
    assert text.count("A &lt;b&gt; &amp; c") == 4 and "<b>" not in text
    assert text.count("Disc &lt;1&gt;") == 2
    assert re.findall(r'<audio preload="auto" src="([^"]*)"', text) == [
        "0%20%23.flac", "1%20%23.flac"
    ] * 2  # fmt: skip
    assert len(set(re.findall(r'<h2 id="([^"]*)"', text))) == 2
    assert text.count('role="radio"') == 4 and text.count("<section data-seconds") == 2
    assert not re.search(r"(https?:)?//\w+\.\w+", re.sub(r"//[^\n]*\n", "", text))
