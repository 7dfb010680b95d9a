"""Gaps and clipped peaks made anew; whatever is intact stays, to the bit."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sounds import tone
from systems.babe2 import small
from systems.babe2.gaussian import RATE, GaussianPrior

from shellac import audio
from shellac.cli import main
from shellac.errors import UsageError
from shellac.files import write_csv
from shellac.systems.babe2 import damage
from shellac.systems.babe2.damage import Limits
from shellac.systems.babe2.filters import Curve
from shellac.systems.babe2.mending import Damage, Mending
from shellac.systems.babe2.prior import Sampling

SAMPLING = Sampling(
    steps=25, order=1, start_sigma=1.0, sigma_min=1e-3, sigma_max=100.0, rho=10.0, churn=0.0,
    level=1.0,
)  # fmt: skip


@dataclass(frozen=True)
class Known(GaussianPrior):
    """The prior whose posterior is known, as :class:`Mending` wants it."""

    sample_rate: int = RATE
    sigma_data: float = 1.0
    device: torch.device = torch.device("cpu")

    def in_band(self, x):
        return x


def mended(x, damaged, folder, prior=None, rate=RATE, seed=1):
    work = Mending(prior or Known(4096, 300.0), SAMPLING, x, rate, damaged, folder, seed)
    return np.concatenate(list(work.blocks()), axis=1)


def drawn(rng, channels=1, samples=12000):
    prior = GaussianPrior(samples, 300.0)
    return 0.1 * prior.draw(channels, rng).numpy().astype(np.float32)


def test_a_gap_is_filled_with_what_may_have_been_there_and_the_rest_stays(tmp_path, rng):
    clean = drawn(rng, 2)
    gaps = [(0, 20), (5000, 5030), (5100, 5130), (9000, 9010), (11990, 12000)]
    x, hole = clean.copy(), np.zeros(12000, bool)
    for start, stop in gaps:
        x[:, start:stop], hole[start:stop] = 0, True
    made = mended(x, Damage(gaps), tmp_path)
    np.testing.assert_array_equal(made[:, ~hole], x[:, ~hole])
    inside = slice(5000, 5030)
    error, spread = np.square(made - clean)[:, inside].mean(), np.square(clean).mean()
    assert 0 < error < 1.5 * spread and np.abs(made[:, hole]).min() > 0
    steps = np.abs(np.diff(made, axis=1))[:, [4999, 5029]]
    assert steps.max() < 5 * np.abs(np.diff(clean, axis=1)).std()  # no click at the edges
    assert np.abs(made[0, inside] - made[1, inside]).max() > 0


def test_what_was_clipped_rises_and_the_rest_stays(tmp_path, rng):
    clean = drawn(rng, 4)
    x = clean.clip(-0.12, 0.1)
    damaged = Damage(clipped=damage.limits(x, "auto"))
    assert damaged.clipped == Limits(x.min(), x.max())
    made = mended(x, damaged, tmp_path)
    cut = (x > 0.0999) | (x < -0.1199)
    np.testing.assert_array_equal(made[~cut], x[~cut])
    assert (np.abs(made[cut]) >= np.abs(x[cut])).all()
    assert np.square(made - clean)[cut].mean() < 0.75 * np.square(x - clean)[cut].mean()


def test_where_it_stopped_it_goes_on(tmp_path, rng):
    x = drawn(rng)
    damaged = Damage([(1000, 1020), (6000, 6020)])
    steps = []
    work = Mending(Known(4096), SAMPLING, x, RATE, damaged, tmp_path, 1, steps.append)
    first = np.concatenate(list(work.blocks()), axis=1)
    assert len(steps) == 25 * len(work.windows) == 50
    (tmp_path / "window-000001.npy").unlink()
    again = Mending(Known(4096), SAMPLING, x, RATE, damaged, tmp_path, 1, steps.append)
    np.testing.assert_array_equal(np.concatenate(list(again.blocks()), axis=1), first)
    assert len(steps) == 75


@pytest.mark.parametrize("rate", [8000, 44100])
def test_other_rates_go_to_the_prior_and_back(tmp_path, rng, rate):
    x = 0.3 * tone(0.7, rate, 1)
    gap = (rate // 3, rate // 3 + rate // 200)
    damaged = x.copy()
    damaged[:, slice(*gap)] = 0
    made = mended(damaged, Damage([gap]), tmp_path, rate=rate)
    assert made.shape == x.shape
    hole = np.zeros(x.shape[1], bool)
    hole[slice(*gap)] = True
    np.testing.assert_array_equal(made[:, ~hole], x[:, ~hole])
    assert 0 < np.abs(made[:, hole]).max() < 1.5


def test_windows_hold_whole_stretches_away_from_their_ends():
    rng = np.random.default_rng(0)
    edges = np.sort(rng.choice(50_000, 200, replace=False)).reshape(-1, 2)
    found = damage.windows(edges, 50_000, 4000, 441)
    np.testing.assert_array_equal(np.concatenate([window.runs for window in found]), edges)
    for window in found:
        assert window.start % 441 == 0
        assert window.start <= window.runs[0, 0] and window.runs[-1, 1] <= window.start + 4000
        if window.start + 4000 < 50_000:
            assert window.runs[-1, 1] <= window.start + 3500
        assert not window.start or window.runs[0, 0] >= min(window.start + 500, 46_000)


def test_stretches_are_found_across_blocks_and_merged(monkeypatch):
    monkeypatch.setattr(damage, "_BLOCK", 10)
    x = np.zeros((2, 40))
    x[0, 8:13], x[1, 12:15], x[0, 30] = 0.5, -0.5, 0.5
    found = damage.runs(x, [(14, 16), (20, 22)], Limits(-0.5, 0.5))
    assert found.tolist() == [[8, 16], [20, 22], [30, 31]]
    assert damage.limits(x, "auto") == Limits(-0.5, 0.5)
    x[0, 8:13] = 0
    assert damage.limits(x, "auto") == Limits(-0.5, np.inf)  # a single sample is no flat top
    assert damage.limits(x, 0.25) == Limits(-0.25, 0.25)


def test_too_long_a_gap_is_an_error_in_words(tmp_path, rng):
    with pytest.raises(UsageError, match="0.18 s in a row are damaged at 0.05 s"):
        Mending(Known(4096), SAMPLING, drawn(rng), RATE, Damage([(1000, 5000)]), tmp_path, 0)


@pytest.fixture
def restore(tmp_path, monkeypatch, capsys):
    """Run the command with a tiny network; return (status, error, folder of results)."""
    monkeypatch.setenv("SHELLAC_CACHE", str(tmp_path / "cache"))
    path = small.store(tmp_path / "small.safetensors")

    def run(*arguments, system="babe2"):
        out = tmp_path / "out"
        status = main(["restore", str(tmp_path / "in.wav"), "-o", str(out), "--system", system,
                       "--weights", str(path), "--device", "cpu", "--steps", "2",
                       *map(str, arguments)])  # fmt: skip
        return status, capsys.readouterr().err, out

    return run


def test_the_command_fills_listed_gaps_and_raises_clipped_peaks(tmp_path, restore):
    x = np.round(0.9 * tone(1.6, 16000, 2) * 32768).clip(-16000, 16000) / 32768
    x[:, 12000:12100] = 0
    audio.write(tmp_path / "in.wav", x, 16000, "FLOAT")
    (tmp_path / "gaps.csv").write_text("start,end\n0.75,0.75625\n")
    status, error, out = restore("--gaps", tmp_path / "gaps.csv", "--declip", "auto")
    assert status == 0, error
    made = audio.read(out / "in.restored.wav")[0]
    touched = np.zeros(x.shape, bool)
    touched[:, 12000:12100] = True
    touched |= np.abs(x) >= 0.48 * (1 - 1e-3)
    np.testing.assert_array_equal(made[~touched], x.astype(np.float32)[~touched])
    assert np.abs(made[:, 12000:12100]).max() > 0
    told = json.loads((out / "in.json").read_text())
    assert told["generated"] is False and told["gaps"] == [[0.75, 0.75625]]
    assert told["estimates"][0]["damaged_samples"] >= 100
    assert "damaged samples alone" in told["estimates"][0]["generated"]
    assert list((tmp_path / "cache" / "unfinished").iterdir()) == []


def test_nothing_damaged_is_nothing_changed(tmp_path, restore):
    audio.write(tmp_path / "in.wav", 0.5 * tone(0.9, 11025), 11025)
    status, error, out = restore("--declip", "auto")
    assert status == 0 and "no clipped sample was found" in error
    a, b = (audio.read(path)[0] for path in (tmp_path / "in.wav", out / "in.restored.wav"))
    np.testing.assert_array_equal(a, b)


def test_a_known_filter_is_taken_for_what_it_is(tmp_path, restore):
    audio.write(tmp_path / "in.wav", 0.5 * tone(0.9, 11025), 11025)
    rows = [{"frequency_hz": 100, "gain_db": 3.0}, {"frequency_hz": 4000, "gain_db": -17.0}]
    write_csv(tmp_path / "known.csv", rows, ("frequency_hz", "gain_db"))
    status, error, out = restore("--filter", tmp_path / "known.csv")
    assert status == 0, error
    told = json.loads((out / "in.json").read_text())
    assert told["settings"]["filter"].startswith("known.csv, sha256 ")
    assert "given filter" in told["estimates"][0]["generated"] and told["generated"] is True
    lines = (out / "in.filter.csv").read_text().splitlines()[1:]
    hz, gain = np.array([[float(cell) for cell in line.split(",")] for line in lines]).T
    wanted = Curve(np.array([100.0, 4000.0]), np.array([3.0, -17.0])).at(hz)
    assert np.ptp(gain - wanted) < 1e-3


def test_a_level_is_no_part_of_a_known_filter():
    curve = Curve(np.array([100.0, 4000.0]), np.array([20.0, 20.0]))
    assert curve.levelled(np.ones(100), 8000).gain_db == pytest.approx([0, 0])
    tilted = Curve(np.array([100.0, 4000.0]), np.array([0.0, -40.0]))
    dark = 1 / (1 + (np.arange(513) / 10) ** 2)
    hz = np.arange(1, 513) * 4000 / 512
    passed = dark[1:] * 10 ** (tilted.levelled(dark, 8000).at(hz) / 10)
    assert passed.sum() == pytest.approx(dark[1:].sum())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--declip", "2"], "--declip is '2'"),
        (["--declip", "loud"], "--declip is 'loud'"),
        (["--filter", "nowhere.csv"], "no such file"),
        (["--filter", "in.wav"], "expected numbers in columns"),
        (["--declip", "auto", "--filter", "known.csv"], "goes with neither"),
        (["--gaps", "auto", "--filter", "known.csv"], "goes with neither"),
        (["--declip", "auto", "--strength", "0.5"], "--strength"),
        (["--filter", "falling.csv"], "falling.csv:3: frequencies must ascend"),
        (["--filter", "short.csv"], "two frequencies"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(tmp_path, restore, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    audio.write(tmp_path / "in.wav", 0.5 * tone(0.2, 11025), 11025)
    head = "frequency_hz,gain_db\n"
    (tmp_path / "known.csv").write_text(head + "100,0\n4000,-9\n")
    (tmp_path / "falling.csv").write_text(head + "4000,0\n100,-9\n")
    (tmp_path / "short.csv").write_text(head + "4000,0\n")
    status, error, out = restore(*arguments)
    assert status == 2 and words in error and error.count("\n") == 1
    assert not out.exists()


def test_other_systems_take_no_such_wishes(tmp_path, capsys):
    audio.write(tmp_path / "in.wav", 0.5 * tone(0.2, 11025), 11025)
    status = main(["restore", str(tmp_path / "in.wav"), "-o", str(tmp_path / "out"), "--system",
                   "classical", "--declip", "auto"])  # fmt: skip
    error = capsys.readouterr().err
    assert status == 2 and "--declip: babe2 does" in error and error.count("\n") == 1
