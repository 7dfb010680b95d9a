import numpy as np
import pytest
import shared_audio
import torch
from scipy.special import exp1

import shellac
from shellac import audio, metrics
from shellac.errors import UsageError
from shellac.systems.classical import denoise, profile
from shellac.systems.classical.framing import Framing, framing

N_FFT = 512


def spectra(x):
    return Framing(N_FFT).analyse(torch.from_numpy(np.atleast_2d(x)))


@pytest.mark.parametrize("samples", [1, 7, 128, 1000, 4096])
def test_frames_give_the_signal_back_without_delay(samples):
    x = np.random.default_rng(0).standard_normal((2, samples))
    back = Framing(N_FFT).synthesise(spectra(x), samples).numpy()
    assert back.shape == x.shape
    assert np.allclose(back, x, atol=1e-12)


def test_frames_last_about_93_ms_at_any_rate():
    assert [framing(rate).n_fft for rate in (1000, 16000, 44100, 192000)] == [
        128,
        2048,
        4096,
        16384,
    ]


def test_noise_sinks_to_the_floor_and_a_tone_stays():
    rng = np.random.default_rng(0)
    hiss = 0.05 * rng.standard_normal(20000)
    power = spectra(hiss).abs().square()
    gains = denoise.gain(power.clone(), power.mean(dim=1))
    assert gains.min() >= 10 ** (denoise.FLOOR_DB / 20) * 0.999
    assert 10 * torch.log10((gains**2 * power).sum() / power.sum()) < -15
    tone = np.sin(2 * np.pi * 0.1 * np.arange(20000))
    both = spectra(tone + hiss).abs().square()
    kept = denoise.gain(both, power.mean(dim=1))[0, 10:-10, round(0.1 * N_FFT)]
    assert kept.min() > 0.97


def test_an_attack_is_heard_in_its_first_frame():
    hiss = 0.05 * np.random.default_rng(0).standard_normal(20480)
    noise = spectra(hiss).abs().square().mean(dim=1)
    tone = np.where(np.arange(20480) >= 10240, np.sin(2 * np.pi * 0.1 * np.arange(20480)), 0)
    gains = denoise.gain(spectra(tone + hiss).abs().square(), noise)[0, :, round(0.1 * N_FFT)]
    first = (10240 + Framing(N_FFT).lead) // (N_FFT // 4)  # the first frame that starts with it
    assert gains[first] > 0.9
    assert gains[first - 8 : first - 4].mean() < 0.5


def test_silence_and_unknown_noise_give_finite_gains():
    zeros = torch.zeros(1, 5, N_FFT // 2 + 1)
    for noise in (torch.zeros(1, N_FFT // 2 + 1), torch.ones(1, N_FFT // 2 + 1)):
        assert torch.isfinite(denoise.gain(zeros.clone(), noise)).all()


def test_the_table_is_the_exponential_integral():
    v = torch.logspace(-5, 1.5, 500, dtype=torch.float64)
    expected = np.exp(exp1(v.numpy()) / 2)
    assert np.allclose(denoise._half_exponential_integral(v), expected, rtol=2e-3)


def frames_of(x):
    collected = profile.PowerFrames(N_FFT)
    collected.add(np.atleast_2d(x))
    return collected.power()


def test_the_quietest_frames_tell_the_noise_beneath_music():
    rng = np.random.default_rng(0)
    hiss = np.convolve(rng.standard_normal(200_000), [1, 0.8], "same") * 0.02
    truth = profile.average(frames_of(hiss))
    time = np.arange(200_000)
    playing = (time // 20_000) % 2 == 0
    music = sum(np.sin(2 * np.pi * f * time) for f in (0.02, 0.05, 0.11)) * playing
    found = profile.quietest(frames_of(music + hiss)).noise
    error_db = 10 * np.log10(found / truth)[:, 8:-8]
    assert np.abs(error_db.mean()) < 1.0
    assert error_db.std() < 1.5


def test_a_tone_that_never_pauses_is_not_taken_for_noise():
    hiss = 0.02 * np.random.default_rng(0).standard_normal(100_000)
    drone = np.sin(2 * np.pi * 0.3 * np.arange(100_000))
    found, truth = (profile.quietest(frames_of(x)).noise for x in (hiss + drone, hiss))
    near = slice(round(0.3 * N_FFT) - 3, round(0.3 * N_FFT) + 4)
    assert 10 * np.log10(found / truth)[:, near].max() < 6


def test_fades_to_silence_and_coders_holes_are_no_noise():
    hiss = 0.02 * np.random.default_rng(0).standard_normal((1, 100_000))
    power = frames_of(hiss)
    truth = profile.quietest(power).noise
    power[:30, :, 100:200] *= 1e-10  # some bins of some frames
    power[30:60] *= 1e-12  # whole frames
    error_db = 10 * np.log10(profile.quietest(power).noise / truth)[0]
    beside = 2 * profile.NEAR_BINS  # a hole's edge looks like less noise
    for bins in (
        slice(0, 100 - beside),
        slice(100 + beside, 200 - beside),
        slice(200 + beside, None),
    ):
        assert np.abs(error_db[bins]).max() < 3


def test_too_few_frames_and_silence_tell_nothing():
    assert profile.quietest(frames_of(np.ones(N_FFT * 4))) is None
    assert profile.quietest(frames_of(np.zeros(10))) is None
    assert profile.quietest(frames_of(np.zeros(100_000))) is None


def test_frames_do_not_depend_on_the_blocks_they_come_in():
    x = np.random.default_rng(0).standard_normal((2, 10_000))
    collected = profile.PowerFrames(N_FFT)
    for block in np.split(x, [1, 100, 700, 701, 5000, 9999], axis=1):
        collected.add(block)
    assert np.array_equal(collected.power(), frames_of(x))
    assert len(collected.power()) == (10_000 - N_FFT) // (N_FFT // 2) + 1


def test_thinning_keeps_an_even_spread_in_bounded_memory():
    thinned = profile.Thinned()
    for number in range(10_000):
        if thinned.wants():
            thinned.keep(np.array(number))
    kept = thinned.kept
    assert profile.MOST_FRAMES / 2 <= len(kept) <= profile.MOST_FRAMES
    assert set(np.diff(kept)) == {thinned.stride}
    assert kept[-1] >= 10_000 - thinned.stride


def test_hum_lines_do_not_count_as_noise():
    noise = np.ones((1, 257))
    noise[0, 20] = 1000.0
    assert profile.without_lines(noise, [20 * 31.25], 31.25).max() == 1.0
    assert profile.without_lines(noise, [], 31.25).max() == 1000.0


@pytest.mark.parametrize("text", ["2-1", "1-1", "a-b", "-1", "1", "nowhere.wav", "-1-2", ""])
def test_a_profile_that_is_neither_a_span_nor_a_file_is_refused(text):
    with pytest.raises(UsageError, match="--noise-profile"):
        profile.parse(text)


def test_a_span_and_a_file_are_read(tmp_path):
    assert profile.parse("0.5-2") == profile.Excerpt(0.5, 2.0)
    file = tmp_path / "1-2"
    file.touch()
    assert profile.parse(str(file)).path == file


def dense(seconds=8.0, rate=22050):
    """Thirty-two unsteady partials that never pause: no noise, and no silence to find it in."""
    rng = np.random.default_rng(4)
    time = np.arange(int(seconds * rate)) / rate
    total = np.zeros_like(time)
    for number in range(32):
        swell = np.interp(time, np.linspace(0, seconds, 42), rng.uniform(-6, 6, 42))
        hz = 110 * (number + 1) * (1 + 0.005 * np.sin(2 * np.pi * (5 + 0.1 * number) * time))
        total += 10 ** (swell / 20) * np.sin(2 * np.pi * np.cumsum(hz) / rate) / (number + 1) ** 0.7
    return (0.5 * total / np.abs(total).max()).astype(np.float32)


def test_music_without_pauses_is_not_taken_for_noise():
    music = dense()
    out = shellac.load("classical/denoise", device="cpu").restore(music, 22050)
    assert metrics.snr_db(music, out.waveform[0]) > 35
    collected = profile.PowerFrames(framing(22050).n_fft)
    collected.add(music[None])
    assert profile.quietest(collected.power()).sure < profile.LEAST_SURE


def test_real_orchestra_without_pauses_is_left_alone_and_its_hiss_found():
    music, rate = audio.read(shared_audio.require() / "music" / "orchestra_phrase.flac")
    restorer = shellac.load("classical/denoise", device="cpu")
    assert metrics.snr_db(music, restorer.restore(music, rate).waveform) > 35
    rng = np.random.default_rng(0)
    hiss = rng.standard_normal(music.shape) * np.sqrt(np.mean(music**2)) * 10 ** (-10 / 20)
    heard = (music + hiss).astype(np.float32)
    assert metrics.si_sdr_db(music, restorer.restore(heard, rate).waveform) > 14
