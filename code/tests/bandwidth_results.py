"""Plausible results of bandwidth extension, so that its reports are tested without a training."""

import itertools
from pathlib import Path

import numpy as np
import torch

from shellac import audio, config, weights
from shellac.files import sha256, write_json, write_text

SAMPLE_RATE = 22050
CUTOFF_HZ = 3456.7
BASELINES = {"low_passed": 2.4, "band_copy": 1.8}  # LSD above the cut
TRACK = "piano-008.flac"


def settings(root: Path) -> dict:
    """The section of the settings."""
    return config.read_tree(root / "params.yaml")["behm_gan"]


def write(root: Path) -> None:
    """Fill ``root/results/demo`` with what the stages of bandwidth extension leave."""
    task, results = settings(root), root / "results" / "demo"
    names, families = list(task["networks"]), [*task["evaluation"]["low_pass"], "none"]
    distances = BASELINES | {name: 1.5 + 0.05 * place for place, name in enumerate(names)}
    _write_scores(results / "metrics", distances, families)
    _write_curves(results / "metrics" / "behm_gan-training", names)
    _write_weights(results / "models" / "behm_gan", task)
    _write_stimuli(results / "stimuli" / "behm_gan", list(distances))


def _write_scores(folder: Path, distances: dict[str, float], families: list[str]) -> None:
    means, paired, rows = [], [], []
    for family, (method, distance) in itertools.product(families, distances.items()):
        values = {
            "lsd_above_cut": distance, "kept_band_snr_db": 30 - distance, "lsd": 0.8 * distance,
            "si_sdr_db": 29 - distance,
        }  # fmt: skip
        rows.append(("piano", TRACK, family, CUTOFF_HZ, method, "lsd_above_cut", distance))
        for role, (metric, mean) in itertools.product(("piano", "all"), values.items()):
            means.append((role, family, method, metric, mean, mean - 0.1, mean + 0.1, 8))
            against = "band_copy" if metric == "lsd_above_cut" else "low_passed"
            if metric != "lsd" and method != against:
                sign = 1 if metric == "lsd_above_cut" else -1
                mean = sign * (distance - distances[against])
                numbers = (mean, mean - 0.02, mean + 0.02, 8)
                paired.append((role, family, method, against, metric, *numbers))
    number = "mean,low,high,tracks"
    head = "role,track,low_pass,cutoff_hz,method,metric,value"
    _csv(folder / "behm_gan.csv", head, rows)
    _csv(folder / "behm_gan-summary.csv", f"role,low_pass,method,metric,{number}", means)
    _csv(folder / "behm_gan-paired.csv", f"role,low_pass,method,against,metric,{number}", paired)


def _csv(path: Path, head: str, rows: list[tuple]) -> None:
    lines = [head, *(",".join(map(str, row)) for row in rows)]
    write_text(path, "\n".join(lines) + "\n")


def _write_curves(folder: Path, names: list[str]) -> None:
    for number, name in enumerate(names, start=1):
        rows = [(step, 0.1 / number / step, 1.1 / number / step) for step in (20, 40, 60)]
        _csv(folder / f"{name}.csv", "step,loss,validation_loss", rows)


def _write_weights(folder: Path, task: dict) -> None:
    for number, (name, entry) in enumerate(task["networks"].items()):
        noise = task["noise_rms"] if entry.get("noise", True) else 0.0
        extra = {"extension": {"noise_rms": noise, "kept_hz": 2800.0}, "parameters": 2000 + number,
                 "training_low_pass": task["low_pass"], "adversary": entry.get("adversary", True),
                 "loss": "spectral", "material": [], "recipe": "sound", "steps": 60,
                 "roles": ["piano"]}  # fmt: skip
        network = f"behm_gan/{entry.get('network', name)}"
        card = weights.Card(network, {"width": 0.125}, SAMPLE_RATE, 0.9, 0.5, "trained", "CC0",
                            "demo", ("a" * 64, "b" * 64), extra)  # fmt: skip
        weights.store(folder / f"{name}.safetensors", {"layer.weight": torch.zeros(2)}, card)


def _write_stimuli(folder: Path, methods: list[str]) -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    low, high = (0.3 * np.sin(2 * np.pi * hz * time) for hz in (440, 5000))
    conditions = {}
    for place, name in enumerate(("reference", *methods)):
        heard = (low + high / (1 + place)).astype(np.float32)
        path = folder / f"item-00-{name}.flac"
        audio.write(path, heard[None], SAMPLE_RATE)
        conditions[name] = {"file": path.name, "sha256": sha256(path), "gain_db": 0.0}
    item = {"track": TRACK, "role": "piano", "sample_rate": SAMPLE_RATE, "seconds": 1.0,
            "start_seconds": 2.0, "conditions": conditions}  # fmt: skip
    write_json(folder / "manifest.json", {"items": [item]})
