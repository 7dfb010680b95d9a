"""Reading what is sound, refusing what is not, writing whole files or none."""

import numpy as np
import pytest
import soundfile
from sounds import BAD, make_bad, tone, write_good

from shellac import audio
from shellac.errors import AudioError, OutputError


@pytest.mark.parametrize("name", BAD)
def test_bad_file_is_refused_in_one_line_that_names_it(tmp_path, name):
    path = make_bad(tmp_path, name)
    with pytest.raises(AudioError) as refused:
        audio.inspect(path)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def test_first_and_count_of_bad_samples_are_told(tmp_path):
    with pytest.raises(AudioError, match=r"1 samples are NaN.*first at sample 1234"):
        audio.inspect(make_bad(tmp_path, "nan.wav"))


def test_flac_with_intact_frames_but_wrong_checksum_is_refused(tmp_path):
    raw = bytearray(write_good(tmp_path / "a.flac").read_bytes())
    raw[26] ^= 1  # a bit of the MD5 in STREAMINFO; every frame still decodes
    (tmp_path / "a.flac").write_bytes(raw)
    with pytest.raises(AudioError, match="MD5"):
        audio.inspect(tmp_path / "a.flac")


@pytest.mark.parametrize("name", ["half.wav", "half.flac", "half.ogg", "half.aiff"])
def test_truncated_file_is_taken_when_allowed(tmp_path, name):
    facts = audio.inspect(make_bad(tmp_path, name), allow_truncated=True)
    assert facts.truncated
    assert 16000 < facts.samples < 48000
    with audio.Reader(facts.path, facts.samples) as reader:
        assert reader.read(0, facts.samples).shape == (2, facts.samples)


def test_wav_from_a_pipe_with_unknown_length_is_whole(tmp_path):
    raw = bytearray(write_good(tmp_path / "piped.wav").read_bytes())
    place = raw.index(b"data")
    raw[4:8] = raw[place + 4 : place + 8] = b"\xff\xff\xff\xff"
    (tmp_path / "piped.wav").write_bytes(raw)
    assert audio.inspect(tmp_path / "piped.wav").samples == 16000


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("sample_rate", [8000, 44100, 192000])
@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [(".wav", "PCM_U8"), (".wav", "PCM_16"), (".wav", "PCM_24"), (".wav", "PCM_32"),
     (".wav", "FLOAT"), (".wav", "DOUBLE"), (".flac", "PCM_16"), (".flac", "PCM_24"),
     (".aiff", "PCM_16"), (".ogg", "VORBIS")],
)  # fmt: skip
def test_round_trip(tmp_path, suffix, subtype, sample_rate, channels):
    waveform = tone(0.2, sample_rate, channels)
    waveform[:, 0] = 1.0
    path = tmp_path / f"a{suffix}"
    audio.write(path, waveform, sample_rate, subtype)
    back, rate = audio.read(path)
    assert (rate, back.shape) == (sample_rate, waveform.shape)
    step = {"PCM_U8": 2**-7, "PCM_16": 2**-15, "VORBIS": 1.0}.get(subtype, 2**-22)
    assert np.abs(back - waveform).max() <= step
    facts = audio.inspect(path)
    assert facts.lossy == (subtype == "VORBIS")
    assert facts.peak == pytest.approx(np.abs(back).max(), abs=1e-6)


@pytest.mark.parametrize(
    ("suffix", "subtype", "bits"),
    [(".wav", "PCM_U8", 8), (".wav", "PCM_16", 16), (".wav", "PCM_24", 24), (".aiff", "PCM_16", 16),
     (".caf", "ALAC_20", 20), (".flac", "PCM_16", 16), (".flac", "PCM_24", 24)],
)  # fmt: skip
def test_samples_become_the_nearest_numbers_of_the_format(tmp_path, suffix, subtype, bits):
    waveform = np.random.default_rng(0).uniform(-1.1, 1.1, (1, 4000)).astype(np.float32)
    waveform[:, 2000:] *= 1e-4
    audio.write(tmp_path / f"a{suffix}", waveform, 8000, subtype)
    steps = 2 ** (bits - 1)
    nearest = np.clip(np.rint(waveform * np.float64(steps)), -steps, steps - 1) / steps
    assert np.array_equal(soundfile.read(tmp_path / f"a{suffix}", always_2d=True)[0].T, nearest)


def test_blocks_equal_the_whole(tmp_path):
    path = write_good(tmp_path / "a.flac")
    whole, _ = audio.read(path)
    with audio.Reader(path) as reader:
        for start, stop in [(0, 700), (300, 900), (300, 300), (880, 5000), (7000, 16000)]:
            assert np.array_equal(reader.read(start, stop), whole[:, start:stop])
        with pytest.raises(ValueError, match="behind"):
            reader.read(0, 10)


def test_mono_is_the_mean_of_the_channels_whole_or_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "_FEWEST_FRAMES", 1)
    for channels in (1, 2, 6):
        path = tmp_path / f"{channels}.flac"
        audio.write(path, tone(2.5, 16000, channels), 16000)
        wanted = audio.read(path)[0].mean(axis=0)
        assert np.array_equal(audio.read_mono(path)[0], wanted)
        blocks = list(audio.mono_blocks(path))
        assert len(blocks) > 1
        assert np.array_equal(np.concatenate(blocks), wanted)


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = write_good(tmp_path / "a.wav")
    before = path.read_bytes()
    with pytest.raises(RuntimeError), audio.writer(path, 16000, 2) as blocks:
        blocks.append(np.zeros((2, 100), np.float32))
        raise RuntimeError
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_unwritable_formats_are_named(tmp_path):
    with pytest.raises(OutputError, match="ending"):
        audio.write(tmp_path / "a.xyz", np.zeros((1, 10)), 16000)
    with pytest.raises(OutputError, match="a.flac"):
        audio.write(tmp_path / "a.flac", np.zeros((9, 10)), 16000)
    assert not list(tmp_path.iterdir())


def test_long_vorbis_is_written_in_blocks(tmp_path):
    # libsndfile crashes on one write of a minute of stereo
    audio.write(tmp_path / "a.ogg", np.zeros((2, 61 * 44100), np.float32), 44100, "VORBIS")
    assert audio.inspect(tmp_path / "a.ogg").samples == 61 * 44100


def test_output_format_keeps_lossless_and_never_codes_lossy_again(tmp_path):
    wav = audio.inspect(write_good(tmp_path / "a.wav", subtype="PCM_24"))
    assert audio.output_format(wav) == ("WAV", "PCM_24", ".wav")
    assert audio.output_format(wav, "flac") == ("FLAC", "PCM_24", ".flac")
    write_good(tmp_path / "a.ogg", subtype="VORBIS")
    assert audio.output_format(audio.inspect(tmp_path / "a.ogg")) == ("FLAC", "PCM_24", ".flac")
    audio.write(tmp_path / "b.wav", np.zeros((9, 100)), 16000, "FLOAT")
    assert audio.output_format(audio.inspect(tmp_path / "b.wav"), "flac")[0] == "WAV"


def test_tags_survive(tmp_path):
    audio.write(tmp_path / "a.flac", tone(0.1, 8000), 8000, tags={"title": "Mattinata"})
    assert audio.inspect(tmp_path / "a.flac").tags["title"] == "Mattinata"


def test_soundfile_opens_leading_dash_and_unicode(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ["-o.wav", "Škrlup ♪.wav"]:
        audio.write(name, tone(0.1, 8000), 8000)
        assert soundfile.info(tmp_path / name).frames == audio.inspect(name).samples
