"""A small compendium with results of its own, so that reports are tested without a training."""

import itertools
import json
import shutil
from pathlib import Path

import babe2_results
import bandwidth_results
import denoiser_results
import inpainting_results
import numpy as np
import pytest
import torch

from shellac import audio, config, paths, weights
from shellac.files import sha256, write_text
from shellac.listening import page
from shellac.listening.excerpts import Choice

REPOSITORY = Path(__file__).resolve().parents[3]
SAMPLE_RATE = 16000
SCALE = 4
GAIN_DB = -6.0
METRICS = (
    "snr_db", "si_sdr_db", "lsd", "snr_reference_db", "lsd_reference", "kept_band_snr_db",
    "lsd_above_cut",
)  # fmt: skip
MEANS = {  # snr-like, lsd-like
    "spline": (17.48, 1.85),
    "band_copy": (16.20, 1.31),
    "audiounet": (17.95, 1.52),
    "tfilm": (18.42, 1.33),
    "tfilm_legacy": (17.90, 1.45),
    "afilm": (17.80, 1.50),
}
NETWORKS = ("audiounet", "tfilm", "tfilm_legacy", "afilm")
NOTEBOOKS = (
    "00-quickstart", "01-super-resolution", "02-denoising", "03-bandwidth-extension",
    "04-generative-equaliser", "05-inpainting", "06-inpainting-comparison",
    "07-listening-test",
)  # fmt: skip
FILTERS = ("chebyshev", "butterworth", "sinc", "codec")


def make_house(root: Path) -> None:
    """Fill ``root`` with notebooks, manuscript, settings and plausible results of ``demo``."""
    ignored = shutil.ignore_patterns("output", ".ipynb_checkpoints")
    shutil.copytree(REPOSITORY / "notebooks", root / "notebooks", ignore=ignored)
    shutil.copytree(REPOSITORY / "manuscript", root / "manuscript", ignore=ignored)
    shutil.copytree(REPOSITORY / "results" / "campaigns", root / "results" / "campaigns")
    shutil.copy(REPOSITORY / "code" / "profiles" / "demo.yaml", root / "params.yaml")
    shutil.copy(REPOSITORY / "dvc.yaml", root / "dvc.yaml")
    _write_indexes(root / "data" / "raw" / "demo")
    _write_metrics(root / "results" / "demo" / "metrics")
    _write_weights(root / "results" / "demo" / "models" / "superres")
    _write_stimuli(root / "results" / "demo" / "stimuli" / "superres")
    babe2_results.write(root)
    inpainting_results.write(root)
    denoiser_results.write(root)
    bandwidth_results.write(root)


def build_listening_test() -> None:
    """Build the test of what stimuli there are, as the stage does."""
    folder = paths.results("demo", "listening-test")
    page.build(config.load(), [], folder, Choice(seed=1), page.Wording())


@pytest.fixture
def house(tmp_path, monkeypatch) -> Path:
    """A compendium whose stages have run up to the notebook."""
    root = tmp_path / "house"
    make_house(root)
    monkeypatch.setenv("SHELLAC_ROOT", str(root))
    return root


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A compendium whose notebooks have run; shared, so tests work on a copy (:func:`built`)."""
    from shellac import config
    from shellac.commands import inventory
    from shellac.report import notebooks

    root = tmp_path_factory.mktemp("finished") / "house"
    make_house(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHELLAC_ROOT", str(root))
        build_listening_test()
        for name in NOTEBOOKS:
            notebooks.run(name, "demo")
        inventory.write(config.load())
    return root


@pytest.fixture
def built(finished, tmp_path, monkeypatch) -> Path:
    """A copy of the finished compendium to change at will."""
    root = tmp_path / "house"
    shutil.copytree(finished, root)
    monkeypatch.setenv("SHELLAC_ROOT", str(root))
    return root


def _write_indexes(raw: Path) -> None:
    head = "origin,file,role,split,used,reason,sample_rate,channels,samples,sha256"
    shape = "44100,1,882000"
    roles = {"piano": "piano", "ensemble": "music", "noise": "noise"}
    for corpus, role in ((f"synthesised-{name}", role) for name, role in roles.items()):
        rows = [
            f"here,{role}-{n:03d}.flac,{role},{split},yes,,{shape},{n:064x}"
            for n, split in enumerate(["train"] * 5 + ["validation", "test", "test"])
        ]
        dropped = f"here,hum.flac,{role},,no,noise floor of -20 dB,{shape},{99:064x}"
        write_text(raw / corpus / "index.csv", "\n".join([head, *rows, dropped]) + "\n")


def _write_metrics(folder: Path) -> None:
    lines = ["role,low_pass,unit,method,metric,mean,low,high,tracks"]
    places = [(name, "file", METRICS) for name in FILTERS]
    places.append(("chebyshev", "patch", ("snr_reference_db", "lsd_reference")))
    for role, (name, unit, metrics) in itertools.product(("piano", "all"), places):
        for method, metric in itertools.product(MEANS, metrics):
            mean = MEANS[method][metric.startswith("lsd")] + (unit == "patch")
            numbers = f"{mean},{mean - 0.21},{mean + 0.21},8"
            lines.append(f"{role},{name},{unit},{method},{metric},{numbers}")
    write_text(folder / "superres-summary.csv", "\n".join(lines) + "\n")
    lines = ["role,low_pass,unit,method,against,metric,mean,low,high,tracks"]
    pairs = [("snr_db", "spline"), ("lsd", "band_copy")]
    for role, name, method, (metric, against) in itertools.product(
        ("piano", "all"), FILTERS, MEANS, pairs
    ):
        if method != against:
            mean = MEANS[method][metric == "lsd"] - MEANS[against][metric == "lsd"]
            numbers = f"{mean},{mean - 0.1},{mean + 0.1},8"
            lines.append(f"{role},{name},file,{method},{against},{metric},{numbers}")
    write_text(folder / "superres-paired.csv", "\n".join(lines) + "\n")
    for number, name in enumerate(NETWORKS, start=1):
        steps = np.arange(50, 401, 50)
        loss = 2e-3 / number * np.exp(-steps / 150) + 1e-4
        rows = [f"{step},{a:.6g},{1.1 * a:.6g}" for step, a in zip(steps, loss, strict=True)]
        text = "\n".join(["step,loss,validation_loss", *rows]) + "\n"
        write_text(folder / "superres-training" / f"{name}.csv", text)


def _write_weights(folder: Path) -> None:
    extra = {"scale": SCALE, "low_pass": True, "training_low_pass": ["chebyshev"],
             "recipe": "sound", "steps": 400, "roles": ["piano"]}  # fmt: skip
    for name in NETWORKS:
        settings = {"width": 0.0625} | ({"mode": "legacy"} if name == "tfilm_legacy" else {})
        network = f"superres/{name.removesuffix('_legacy')}"
        card = weights.Card(network, settings, SAMPLE_RATE, 0.9, 0.1, "trained", "CC0", "demo",
                            ("a" * 64, "b" * 64), extra)  # fmt: skip
        weights.store(folder / f"{name}.safetensors", {"layer.weight": torch.zeros(2)}, card)


def _write_stimuli(folder: Path, seconds: float = 2.0) -> None:
    rng = np.random.default_rng(7)
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    partials = {
        440.0 * k: np.exp(-3 * (time % 0.5)) * np.sin(2 * np.pi * 440 * k * time) / (4 * k)
        for k in range(1, 17)
    }
    low = sum(wave for hz, wave in partials.items() if hz < SAMPLE_RATE / SCALE / 2)
    high = sum(wave for hz, wave in partials.items() if hz >= SAMPLE_RATE / SCALE / 2)
    hiss = 1e-4 * rng.standard_normal(len(time))
    amounts = {"reference": 1.0, "spline": 0.001, "band_copy": 0.5, "audiounet": 0.3, "tfilm": 0.7,
               "tfilm_legacy": 0.5}  # fmt: skip
    waves = {name: low + amount * high + hiss for name, amount in amounts.items()}
    conditions = {}
    for name, wave in (waves | {"low_rate": low[::SCALE]}).items():
        rate = SAMPLE_RATE // SCALE if name == "low_rate" else SAMPLE_RATE
        path = folder / f"item-00-{name}.flac"
        gain = 10 ** (GAIN_DB / 20)
        audio.write(path, (gain * wave[None]).astype(np.float32), rate)
        conditions[name] = {"file": path.name, "sha256": sha256(path), "gain_db": GAIN_DB}
    item = {
        "track": "piano-006", "role": "piano", "sample_rate": SAMPLE_RATE, "seconds": seconds,
        "start_seconds": 3.0, "conditions": conditions,
    }  # fmt: skip
    write_text(folder / "manifest.json", json.dumps({"items": [item]}))
