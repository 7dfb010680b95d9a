"""The corpus of listed discs: fetched once, verified, indexed with title and licence."""

import loopback
import pytest
from miniatures import sound

from shellac import config, paths
from shellac.datasets import corpora
from shellac.errors import ConfigError, DataError
from shellac.files import sha256


def profile(site, **changes):
    disc = {"address": "https://a.example/x/an%20old%20disc.WAV", "title": "A waltz",
            "licence": "public domain", "sha256": ""}  # fmt: skip
    told = ", ".join(f"{key}: '{value}'" for key, value in (disc | changes).items())
    return config.apply_profile(
        "pretrained",
        [f"data.mirror={site.address}", f"data.discs={{waltz: {{{told}}}}}"],
    )


@pytest.fixture
def site(full_root):
    with loopback.serving() as serving:
        serving.put("/an%20old%20disc.WAV", sound(1, 2.0))
        yield serving


def test_a_disc_is_fetched_once_and_indexed(site):
    for _ in range(2):
        (row,) = corpora.obtain(profile(site), "discs")
    assert len(site.requests) == 1
    assert (row.file, row.role, row.used, row.split) == ("waltz.wav", "historical", "yes", "")
    assert (row.label, row.licence) == ("A waltz", "public domain")
    assert row.path.read_bytes() == sound(1, 2.0)


def test_a_disc_that_changed_at_its_address_is_refused(site):
    corpora.obtain(profile(site), "discs")
    path = paths.published("discs") / "waltz.wav"
    path.unlink()
    site.put("/an%20old%20disc.WAV", sound(2, 2.0))
    with pytest.raises(DataError, match="sha256"):
        corpora.obtain(profile(site), "discs")
    path.write_bytes(sound(2, 2.0))
    (row,) = corpora.obtain(profile(site, sha256=sha256(path)), "discs")  # the user vouches
    assert row.used == "yes"


def test_what_is_no_recording_by_its_name_is_refused(site):
    with pytest.raises(DataError, match=r"data\.discs\.waltz: .* is no recording by its name"):
        corpora.obtain(profile(site, address="https://a.example/page.html"), "discs")


@pytest.mark.parametrize(
    "changes", [{"licence": ""}, {"address": "ftp://a.example/x.wav"}, {"sha256": "abc"}]
)
def test_a_disc_needs_address_and_licence(site, changes):
    with pytest.raises(ConfigError, match=r"data\.discs\.waltz"):
        profile(site, **changes)


def test_no_disc_is_an_error(site):
    settings = config.apply_profile("demo")
    with pytest.raises(DataError, match="lists no recording"):
        corpora.obtain(settings, "discs")
