"""Fragments: what is kept of recordings and noise, and what is mixed from it."""

import numpy as np
import pytest

from shellac import config, paths
from shellac.datasets import corpora
from shellac.datasets.mono import mono_at
from shellac.errors import DataError
from shellac.files import read_csv, sha256
from shellac.systems.denoiser import fragments
from shellac.systems.denoiser.mixtures import Mixtures, Noises, Stored, segment_samples
from shellac.transforms.stft import HAMMING_1024

RATE = 22050


def folder():
    return paths.fragments("folder", "denoiser")


def mixtures(settings, split="train", published=False):
    return Mixtures(folder(), split, settings.systems["denoiser"], settings.seed, published)


def hashes():
    return {path.name: sha256(path) for path in folder().iterdir()}


def test_recordings_lie_end_to_end_divided_by_their_peaks(prepared):
    settings = prepared()
    stored = Stored.read(folder(), "train", "clean")
    files = {row.file: row for row in corpora.recordings(settings, ["speech"], "train")}
    assert {row["file"] for row in stored.rows} == set(files)
    for number, row in enumerate(stored.rows):
        whole = mono_at(files[row["file"]], RATE)
        np.testing.assert_allclose(stored.waveform(number), whole / np.abs(whole).max(), atol=1e-6)
    digests = [
        {row["sha256"] for row in read_csv(fragments.index_path(folder(), split, "noise"))}
        for split in fragments.SPLITS
    ]
    assert (
        all(digests) and not digests[0] & digests[1] and not digests[2] & (digests[0] | digests[1])
    )
    assert not (folder() / "test_clean.npy").exists()


def test_noise_too_short_to_be_repeated_is_left_out(prepared):
    prepared()
    used = [
        row["file"]
        for split in fragments.SPLITS
        for row in read_csv(fragments.index_path(folder(), split, "noise"))
    ]
    assert sorted(used) and not any("short" in name for name in used)


def test_a_split_without_noise_gets_synthesised_noise(prepared, discs):
    for path in (discs / "mine" / "noise").iterdir():
        path.unlink()
    prepared()
    rows = {
        split: read_csv(fragments.index_path(folder(), split, "noise"))
        for split in fragments.SPLITS
    }
    assert all(row["genre"] == "synthesised" for found in rows.values() for row in found)
    assert len({row["sha256"] for found in rows.values() for row in found}) == 3 * 8


def test_building_again_gives_the_same_bytes_and_a_killed_build_goes_on(prepared, monkeypatch):
    settings = prepared()
    before, read = hashes(), []
    original = fragments.mono_at

    def failing(recording, rate):
        read.append(recording.sha256)
        if len(read) == 4:
            raise KeyboardInterrupt
        return original(recording, rate)

    monkeypatch.setattr(fragments, "mono_at", failing)
    with pytest.raises(KeyboardInterrupt):
        fragments.build(settings)
    fragments.build(settings)
    assert hashes() == before
    assert len(read) == len(set(read)) + 1  # but for the one that failed, each was read once


def test_mixtures_have_the_ratio_and_the_level_that_were_drawn(prepared):
    settings = prepared()
    task = settings.systems["denoiser"]
    data = mixtures(settings)
    assert data.samples == segment_samples(1.0, RATE)
    for number in range(len(data)):
        noisy, clean = data.row(number, 1)
        assert noisy.shape == clean.shape == (data.samples,)
        ratio = 10 * np.log10(clean.var() / (noisy - clean).var())
        assert task.mixing.snr_db[0] - 0.01 < ratio < task.mixing.snr_db[1] + 0.01
        assert np.abs(clean).max() < 10**0.4 + 1e-3
    first = data.row(0, 1)
    assert np.array_equal(first[0], mixtures(settings).row(0, 1)[0])
    assert not np.array_equal(first[0], data.row(0, 2)[0])
    fixed = data.row(0)[1]
    scale = np.abs(fixed).max() / np.abs(data._clean.waveform(0)[: data.samples]).max()
    np.testing.assert_allclose(fixed, scale * data._clean.waveform(0)[: data.samples], atol=1e-6)


def test_a_recording_shorter_than_a_segment_lies_in_silence(prepared):
    settings = prepared("denoiser.segment_seconds=8")
    data = mixtures(settings)
    assert len(data) == len(data._clean.rows)
    _, clean = data.row(0, 3)
    whole = data._clean.waveform(0)
    assert np.count_nonzero(clean) == pytest.approx(np.count_nonzero(whole), rel=0.01)
    _, again = data.row(0, 4)
    assert not np.allclose(clean / np.abs(clean).max(), again / np.abs(again).max())


def test_every_disc_is_as_likely_as_another(prepared):
    prepared()
    noises = Noises(folder(), "train", RATE)
    assert len(noises._discs) == len({tuple(each) for each in noises._discs}) >= 2
    rng = np.random.default_rng(0)
    drawn = noises.draw(4000, rng, anywhere=False)
    starts = [noises._stored.waveform(number)[:4000] for number in range(len(noises._stored.rows))]
    assert any(np.allclose(drawn, start) for start in starts)
    assert not any(np.allclose(noises.draw(4000, rng, anywhere=True), start) for start in starts)
    assert noises.draw(5 * RATE, rng, anywhere=True).shape == (5 * RATE,)


def test_segments_have_the_frames_that_the_network_was_made_for():
    assert segment_samples(5.0, RATE) == 110_250
    for seconds in (0.5, 1.0, 2.0, 3.0):
        samples = segment_samples(seconds, RATE)
        assert samples >= seconds * RATE
        assert (HAMMING_1024.frames(samples) - 431) % 64 == 0


def test_what_is_missing_is_told(folder_root):
    settings = config.apply_profile("folder", ["data.folder=mine", "denoiser.roles=[piano]"])
    corpora.obtain(settings, "folder")
    with pytest.raises(DataError, match="no recording for train"):
        fragments.build(settings)
    with pytest.raises(DataError, match="run shellac fragments"):
        mixtures(settings)
