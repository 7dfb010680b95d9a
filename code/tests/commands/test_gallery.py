"""The gallery: the same seconds in every version, equally loud, the same bytes each time."""

import shutil

import numpy as np
import pytest
from sounds import tone

from shellac import audio, config, paths, pipeline, weights
from shellac.errors import AudioError, UsageError
from shellac.files import sha256
from shellac.listening.loudness import integrated_loudness

CHAINS = ("gallery.chains=[classical, superres]", "gallery.seconds=2", "gallery.recordings=1",
          "gallery.historical=1", "superres.networks={audiounet: {width: 0.0625}}")  # fmt: skip


@pytest.fixture
def trained(folder_root, small_weights):
    """A folder of recordings, with small weights where the trained ones would be."""

    def apply(*changes):
        config.apply_profile("folder", ["data.folder=mine", *CHAINS, *changes])
        pipeline.download("folder")
        target = weights.trained_path("folder", "superres/audiounet")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(small_weights, target)
        return paths.results("folder", "gallery")

    return apply


def test_every_version_has_the_same_seconds_and_is_as_loud(trained):
    folder = trained("gallery.gap_chains=[]")
    pipeline.stimuli("gallery")
    text = (folder / "index.html").read_text()
    assert text.count("<section data-seconds") == 2
    for item, count in (("00", 4), ("01", 3)):  # the historical one has no original
        sounds = sorted(folder.glob(f"{item}-*.flac"))
        assert len(sounds) == len(sorted(folder.glob(f"{item}-*.png"))) == count
        waves = [audio.read(path)[0] for path in sounds]
        assert {wave.shape for wave in waves} == {(1, 32000)}
        loudness = [integrated_loudness(wave, 16000) for wave in waves]
        assert np.ptp(loudness) < 0.1
        assert all(name.name in text for name in sounds)
    hashes = {path.name: sha256(path) for path in folder.iterdir()}
    pipeline.stimuli("gallery")
    assert {path.name: sha256(path) for path in folder.iterdir()} == hashes


def test_a_recording_with_gaps_goes_through_what_fills_them(trained):
    folder = trained("gallery.chains=[]", "gallery.gap_chains=[classical]", "gallery.historical=0")
    pipeline.stimuli("gallery")
    assert sorted(path.name for path in folder.glob("*.flac")) == [f"00-{i}.flac" for i in range(3)]
    damaged, original = (audio.read(folder / f"00-{i}.flac")[0] for i in range(2))
    assert np.mean(damaged == 0) > 0.01 and np.mean(original == 0) < 0.01


@pytest.mark.parametrize(("channels", "suffix"), [(6, "flac"), (9, "wav")])
def test_a_recording_of_many_channels_is_shown_with_all_of_them(
    trained, folder_root, channels, suffix
):
    disc = folder_root / "mine" / "historical" / "disc.wav"
    audio.write(disc, tone(1.5, 16000, channels, seed=1), 16000)
    folder = trained("gallery.chains=[classical]", "gallery.gap_chains=[]", "gallery.recordings=0")
    pipeline.stimuli("gallery")
    sounds = [folder / f"00-{number}.{suffix}" for number in range(2)]
    waves = [audio.read(path)[0] for path in sounds]
    assert {len(wave) for wave in waves} == {channels}
    assert np.ptp([integrated_loudness(wave, 16000) for wave in waves]) < 0.1
    assert all(path.name in (folder / "index.html").read_text() for path in sounds)


def test_a_recording_that_no_network_takes_is_named(trained, folder_root):
    disc = folder_root / "mine" / "historical" / "disc.wav"
    audio.write(disc, tone(3.0, 500), 500)
    folder = trained("gallery.gap_chains=[]", "gallery.recordings=0")
    with pytest.raises(AudioError, match=rf"^{disc}: a sample rate of 500 Hz is outside"):
        pipeline.stimuli("gallery")
    assert not folder.exists()


def test_an_unknown_system_is_refused_and_nothing_written(trained):
    folder = trained("gallery.chains=[magic]")
    with pytest.raises(UsageError, match="no system is called 'magic'"):
        pipeline.stimuli("gallery")
    assert not folder.exists()
