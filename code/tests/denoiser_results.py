"""Plausible results of denoising, so that its reports are tested without a training."""

import itertools
from pathlib import Path

import numpy as np
import torch

from shellac import audio, config, weights
from shellac.files import sha256, write_json, write_text

SAMPLE_RATE = 22050
LEVELS = {  # SI-SDR over all ratios, dB
    "noisy": 6.7, "declicked": 7.7, "classical": 14.1, "classical_profile": 14.6,
    "oracle_mask": 16.7,
}  # fmt: skip
NETWORK_LEVEL = 15.8
METRICS = ("si_sdr_db", "snr_db", "kept_band_snr_db", "lsd", "lsd_reference", "transients_lost",
           "leakage_db", "clicks_per_minute")  # fmt: skip
RATIOS = ("2", "6", "12", "mean")
TRACKS = ("piano-001.flac", "piano-002.flac")


def networks(root: Path) -> list[str]:
    """Names of the networks that the settings list."""
    return list(config.read_tree(root / "params.yaml")["denoiser"]["networks"])


def write(root: Path) -> None:
    """Fill ``root/results/demo`` with what the stages of the denoiser leave."""
    names, results = networks(root), root / "results" / "demo"
    levels = LEVELS | dict.fromkeys(names, NETWORK_LEVEL)
    _write_scores(results / "metrics", levels, names)
    for number, name in enumerate(names, start=1):
        rows = [(step, -3.0 - 0.1 * step / number, -1.6 - 0.01 * step) for step in (40, 80, 120)]
        path = results / "metrics" / "denoiser-training" / f"{name}.csv"
        _csv(path, "step,loss,validation_loss", rows)
    _write_weights(results / "models" / "denoiser", names)
    _write_stimuli(results / "stimuli" / "denoiser", list(levels))


def _write_scores(folder: Path, levels: dict[str, float], names: list[str]) -> None:
    means, paired, tracks = [], [], []
    for role, ratio, (method, level) in itertools.product(("piano", "all"), RATIOS, levels.items()):
        for metric in METRICS:
            mean = level if metric.endswith("db") else 30 - level
            means.append((role, ratio, method, metric, mean, mean - 0.4, mean + 0.4, 8))
    for role, method in itertools.product(("piano", "all"), levels):
        means.append((role, "clean", method, "clean_snr_db", 40.0, 38.0, 42.0, 8))
    means += [(role, "mean", "reference", "clicks_per_minute", 50.0, 40.0, 60.0, 8)
              for role in ("piano", "all")]  # fmt: skip
    for ratio, against in itertools.product(RATIOS, ("classical", "classical_profile")):
        for method, level in levels.items():
            if method != against:
                gain = level - levels[against]
                row = ("all", ratio, method, against, "si_sdr_db", gain, gain - 0.2, gain + 0.2, 8)
                paired.append(row)
    for (place, track), (method, level) in itertools.product(enumerate(TRACKS), levels.items()):
        better = 0.9 * place if method in names else 0.0
        row = ("piano", track, "f" * 64, "mean", method, "si_sdr_db", level - 0.5 + better)
        tracks.append(row)
    number = "mean,low,high,tracks"
    _csv(folder / "denoiser-summary.csv", f"role,snr_db,method,metric,{number}", means)
    _csv(folder / "denoiser-paired.csv", f"role,snr_db,method,against,metric,{number}", paired)
    _csv(folder / "denoiser.csv", "role,track,sha256,snr_db,method,metric,value", tracks)


def _csv(path: Path, head: str, rows: list[tuple]) -> None:
    lines = [head, *(",".join(map(str, row)) for row in rows)]
    write_text(path, "\n".join(lines) + "\n")


def _write_weights(folder: Path, names: list[str]) -> None:
    extra = {"input": "classical", "parameters": 1234, "snr_db": [2, 20], "recipe": "sound",
             "steps": 120, "roles": ["piano", "music"]}  # fmt: skip
    for name in names:
        card = weights.Card("denoiser/unet_22k", {"width": 0.125}, SAMPLE_RATE, None, 0.35,
                            "trained", "CC0", "demo", ("a" * 64, "b" * 64), extra)  # fmt: skip
        weights.store(folder / f"{name}.safetensors", {"layer.weight": torch.zeros(2)}, card)


def _write_stimuli(folder: Path, methods: list[str]) -> None:
    rng = np.random.default_rng(3)
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    wave = 0.3 * np.sin(2 * np.pi * 440 * time)
    conditions = {}
    for place, name in enumerate(("reference", *methods)):
        heard = wave + 0.002 * place * rng.standard_normal(len(wave))
        path = folder / f"item-00-{name}.flac"
        audio.write(path, heard[None].astype(np.float32), SAMPLE_RATE)
        conditions[name] = {"file": path.name, "sha256": sha256(path), "gain_db": 0.0}
    item = {"track": "piano-007", "role": "piano", "sample_rate": SAMPLE_RATE, "seconds": 1.0,
            "start_seconds": 0.5, "conditions": conditions}  # fmt: skip
    write_json(folder / "manifest.json", {"items": [item]})
