"""Networks that correct autoregression: their data, their training, what they restore."""

import numpy as np
import pytest
import torch
from sounds import tone

from shellac import audio, config, networks, paths, weights
from shellac.cli import main
from shellac.datasets import corpora
from shellac.degradations.gaps import cut_gaps
from shellac.errors import ConfigError, DataError
from shellac.files import read_csv, sha256
from shellac.metrics import gap_snr_db
from shellac.systems.inpainting import correction, evaluation, fragments, representation, training
from shellac.systems.inpainting.filled import FilledGaps, index_path
from shellac.systems.inpainting.filling import Correction, fill
from shellac.systems.inpainting.preparation import Conversion
from shellac.systems.inpainting.start import begin_at_nothing

WINDOW = 8000  # samples of 128 frames
CONVERSION = Conversion("spectrogram", None, None, "autoregressive")
ENTRY = "network: UNet_Sun, width: 0.25, mask_input: true, input: autoregressive"
TINY = (
    "data.folder=mine", "compute.threads=1", "inpainting.training.steps=2",
    "inpainting.training.batch_size=2", "inpainting.training.validate_every=2",
    "inpainting.evaluation.resamples=100", "inpainting.evaluation.waveform.gap_ms=[20]",
    "inpainting.evaluation.waveform.seconds=2", "inpainting.evaluation.waveform.iterations=2",
    "inpainting.gaps.filled_draws=2", f"inpainting.networks={{mine: {{{ENTRY}}}}}",
)  # fmt: skip


@pytest.fixture
def built(folder_root):
    settings = config.apply_profile("folder", list(TINY))
    corpora.obtain(settings, "folder")
    fragments.build(settings)
    return settings, paths.fragments("folder", "inpainting")


def gap(seed=0):
    """Two tones (2, T) with a gap that autoregression has filled, and where it is."""
    whole = np.concatenate([tone(0.5, 16000, seed=seed + i) for i in range(2)])
    place = (3800, 4400)
    filled = fill(whole, 16000, [place], None, representation.get("spectrogram"))
    missing = torch.zeros(2, WINDOW, dtype=torch.bool)
    missing[:, slice(*place)] = True
    return torch.from_numpy(whole), torch.from_numpy(filled), missing


@pytest.mark.parametrize("name", ["UNet_Sun", "Dual_Res_UNet_v2", "SE_ResNet"])
def test_a_network_that_says_nothing_leaves_autoregression_as_it_is(name):
    network = networks.build(f"inpainting/{name}", width=1 / 16, mask_input=True)
    _, filled, missing = gap()
    begin_at_nothing(network, lambda: correction.correct(network, CONVERSION, filled, missing), 1)
    with torch.inference_mode():
        heard = correction.correct(network.eval(), CONVERSION, filled, missing)
    assert torch.equal(heard[~missing], filled[~missing])
    error = (heard - filled).square().sum() / filled[missing].square().sum()
    assert 0 < error < 1e-2


def test_magnitudes_that_are_right_under_phases_that_are_nearly_so_gain():
    whole, filled, missing = gap()
    form = representation.get("spectrogram")
    true = form.values(form.encode(whole))

    class Oracle(torch.nn.Module):
        rule, latent = "x + y", 0

        def forward(self, x, seen, eps):
            from shellac.systems.inpainting.network import Estimate

            level = form.level(form.blocks(form.values(form.encode(filled))).masked_fill(
                seen == 0, 0))  # fmt: skip
            return Estimate(form.normalise(form.blocks(true), level))

    quiet = torch.where(missing, 0.7 * filled, filled)
    heard = correction.correct(Oracle(), CONVERSION, quiet, missing)
    before, after = (correction.loss(x, whole, missing).item() for x in (quiet, heard))
    assert after < before - 3


def test_the_loss_is_the_negative_snr_in_the_gaps_and_silence_does_not_count():
    whole = torch.ones(3, 8)
    whole[2] = 0
    missing = torch.zeros(3, 8, dtype=torch.bool)
    missing[:, :4] = True
    heard = whole.clone()
    heard[0, :4] += 0.1
    heard[:, 4:] += 5.0  # intact samples do not count
    expected = 10 * (np.log10(0.01 + 1e-3) + np.log10(1e-3)) / 2
    assert correction.loss(heard, whole, missing).item() == pytest.approx(expected, abs=1e-4)
    assert correction.loss(heard[2:], whole[2:], missing[2:]).item() == 0.0


def test_windows_lie_around_gaps_and_are_whole_outside_them(built):
    settings, folder = built
    task = settings.systems["inpainting"]
    gaps = FilledGaps(folder, "train", WINDOW)
    rows = read_csv(index_path(folder, "train"))
    assert len(gaps) == len(rows) == 2 * 2 * 6  # recordings, draws, gaps in 3 s
    whole, filled, missing = gaps.rows(np.arange(len(gaps)))
    assert whole.shape == filled.shape == missing.shape == (24, WINDOW)
    assert torch.equal(whole[~missing], filled[~missing])
    assert not torch.equal(whole, filled)
    sources = {row.sha256: row for row in corpora.recordings(settings, task.roles, "train")}
    for number in (0, 11, 23):
        start, stop = (int(rows[number][name]) for name in ("start", "stop"))
        low, high = task.gaps.gap_ms
        assert low <= (stop - start) / 16 <= high + 1
        first = (start + stop - WINDOW) // 2
        assert missing[number, start - first : stop - first].all()
        waveform = audio.read(sources[rows[number]["sha256"]].path)[0][0]
        left, right = max(0, first), min(len(waveform), first + WINDOW)
        cut = whole[number].numpy()
        assert np.array_equal(cut[left - first : right - first], waveform[left:right])
        assert not cut[: left - first].any() and not cut[right - first :].any()
    draws = {row["draw"] for row in rows}
    assert draws == {"1", "2"}


def test_building_again_gives_the_same_bytes(built):
    settings, folder = built
    before = {path: sha256(path) for path in folder.rglob("*") if path.is_file()}
    fragments.build(settings)
    assert {path: sha256(path) for path in folder.rglob("*") if path.is_file()} == before


def test_it_trains_evaluates_and_restores_through_its_real_configuration(built, capsys):
    settings, _ = built
    training.train(settings, "mine")
    path = weights.trained_path("folder", "inpainting/mine")
    first = sha256(path)
    training.train(settings, "mine")
    assert sha256(path) == first
    card = weights.load(path)[1]
    assert Conversion.from_card(card.extra) == CONVERSION
    assert card.extra["gaps"] == "filled by autoregression" and len(card.trained_on) == 2

    evaluation.evaluate(settings)
    rows = read_csv(paths.results("folder", "metrics") / "inpainting.csv")
    scores = {(r["method"], r["metric"]): float(r["value"]) for r in rows if r["unit"] != "segment"}
    assert {row["unit"] for row in rows if row["method"] == "mine"} == {"gap-20ms"}
    # two steps from a start that changes nothing
    assert scores["mine", "gap_snr_db"] == pytest.approx(
        scores["autoregressive", "gap_snr_db"], abs=5.0
    )

    whole, gaps = tone(1.0, 44100, 2), [(12000, 13500), (30000, 30300)]
    audio.write(paths.root() / "x.wav", cut_gaps(whole, gaps), 44100, "FLOAT")
    out = paths.root() / "out"
    command = ["restore", str(paths.root() / "x.wav"), "-o", str(out), "--system", "inpainting"]
    assert main([*command, "--weights", str(path)]) == 0
    capsys.readouterr()
    heard = audio.read(out / "x.restored.wav")[0]
    intact = np.ones(44100, bool)
    for start, stop in gaps:
        intact[start:stop] = False
    assert np.array_equal(heard[:, intact], whole[:, intact])
    plain = fill(whole, 44100, gaps, None, CONVERSION.form)
    assert not np.array_equal(heard, plain)
    assert gap_snr_db(plain, heard, gaps) > 10


def test_fill_asks_a_correction_for_what_is_missing_alone():
    whole = tone(1.0, 16000, 2)
    asked = []

    def run(filled, missing):
        asked.append((filled.shape, int(missing.sum(-1).max())))
        return torch.zeros_like(filled)

    form = representation.get("spectrogram")
    found = fill(whole, 16000, [(8000, 8400)], Correction(run, form), None)[:, 8000:8400]
    assert asked == [((2, WINDOW), 400)]
    assert np.abs(found[:, 32:-32]).max() < 1e-6  # but for the fades it is as the correction says


def test_nothing_to_learn_from_is_refused(folder_root):
    with pytest.raises(ConfigError, match="needs gaps.filled_draws: 1 or more"):
        config.apply_profile("folder", [*TINY, "inpainting.gaps.filled_draws=0"])


@pytest.mark.parametrize("change", ["representation=mdct-128", "training.recipe=published"])
def test_it_stands_beside_networks_of_other_kinds(folder_root, change):
    both = f"inpainting.networks={{mine: {{{ENTRY}}}, UNet_Sun: {{width: 0.25}}}}"
    settings = config.apply_profile("folder", [*TINY, both, f"inpainting.{change}"])
    corpora.obtain(settings, "folder")
    fragments.build(settings)
    for name in ("mine", "UNet_Sun"):
        training.train(settings, name)
    card = weights.load(weights.trained_path("folder", "inpainting/mine"))[1]
    assert Conversion.from_card(card.extra) == CONVERSION
    evaluation.evaluate(settings)
    rows = read_csv(paths.results("folder", "metrics") / "inpainting.csv")
    assert {"mine", "UNet_Sun"} <= {row["method"] for row in rows if row["unit"] == "gap-20ms"}


def test_missing_gaps_are_told(built):
    _, folder = built
    index_path(folder, "validation").write_text("sha256,draw,start,stop\n")
    with pytest.raises(DataError, match="lists no gap"):
        FilledGaps(folder, "validation", WINDOW)
    index_path(folder, "validation").unlink()
    with pytest.raises(DataError, match="run shellac fragments inpainting"):
        FilledGaps(folder, "validation", WINDOW)
