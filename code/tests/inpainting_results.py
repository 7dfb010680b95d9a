"""Plausible results of inpainting, so that its reports are tested without a training."""

import itertools
from pathlib import Path

import numpy as np
import torch

from shellac import audio, config, weights
from shellac.files import sha256, write_json, write_text

SAMPLE_RATE = 16000
BASELINES = {"damaged": 0.60, "hold": 0.26, "linear": 0.22}
AUTOREGRESSIVE = ("autoregressive", "autoregressive_two_orders")
CORRECTS = "_autoregressive"
METRICS = {"nrmse": 1.0, "peak_psnr_db": 40.0, "psnr_db": 60.0, "psnr_gain_db": 12.0}
UNITS = ("gap-20ms", "gap-50ms")
GAP_BEST = 9.0  # dB, of the autoregressive model


def networks(root: Path) -> list[str]:
    """Names of the networks that the settings list."""
    return list(config.read_tree(root / "params.yaml")["inpainting"]["networks"])


def write(root: Path) -> None:
    """Fill ``root/results/demo`` with what the stages of inpainting leave."""
    names, results = networks(root), root / "results" / "demo"
    shown = [name for name in names if not name.endswith(CORRECTS)]  # others have no segments
    errors = BASELINES | {name: 0.19 + 0.01 * place for place, name in enumerate(shown)}
    heard = [*AUTOREGRESSIVE, *BASELINES, *names]
    _write_scores(results / "metrics", errors, heard)
    _write_curves(results / "metrics" / "inpainting-training", names)
    _write_segments(results / "metrics", list(errors))
    _write_weights(results / "models" / "inpainting", names)
    _write_stimuli(results / "stimuli" / "inpainting", heard)
    write_json(results / "records" / "inpainting-speed.json", dict.fromkeys(errors, 1.25))


def _write_scores(folder: Path, errors: dict[str, float], heard: list[str]) -> None:
    means, paired, ranks = [], [], []
    for genre, unit in itertools.product(("piano", "all"), ("segment", "published")):
        for place, (method, error) in enumerate(sorted(errors.items(), key=lambda e: e[1])):
            for metric, level in METRICS.items():
                mean = error if metric == "nrmse" else level - 20 * error
                means.append((genre, unit, method, metric, mean, mean - 0.004, mean + 0.004, 8))
            difference = error - errors["linear"]
            if method != "linear":
                bounds = (difference, difference - 0.002, difference + 0.002, 8)
                paired.append((genre, unit, method, "linear", "nrmse", *bounds))
            ranks.append((genre, unit, method, "nrmse", error, place + 1, place + 1))
    for genre, unit in itertools.product(("piano", "all"), UNITS):
        for place, method in enumerate(heard):
            for metric, sign in (("gap_snr_db", -1), ("gap_lsd", 0.1)):
                mean = GAP_BEST + sign * place
                means.append((genre, unit, method, metric, mean, mean - 0.1, mean + 0.1, 8))
    number = "mean,low,high,tracks"
    _csv(folder / "inpainting-summary.csv", f"genre,unit,method,metric,{number}", means)
    _csv(folder / "inpainting-paired.csv", f"genre,unit,method,against,metric,{number}", paired)
    _csv(folder / "inpainting-ranks.csv", "genre,unit,method,metric,mean,rank,last_rank", ranks)


def _csv(path: Path, head: str, rows: list[tuple]) -> None:
    lines = [head, *(",".join(map(str, row)) for row in rows)]
    write_text(path, "\n".join(lines) + "\n")


def _write_curves(folder: Path, names: list[str]) -> None:
    for number, name in enumerate(names, start=1):
        rows = [(step, 0.01 / number / step, 0.011 / number / step) for step in (50, 100, 150)]
        _csv(folder / f"{name}.csv", "step,loss,validation_loss", rows)


def _write_segments(folder: Path, methods: list[str]) -> None:
    rng = np.random.default_rng(5)
    reference = rng.random((2, 128, 128), dtype=np.float32)
    lost = rng.random((2, 128)) < 0.4
    shown = {name: reference * (1 - 0.1 * lost[..., None]) for name in methods}
    np.savez(folder / "inpainting-segments.npz", reference=reference, lost=lost, **shown)


def _write_weights(folder: Path, names: list[str]) -> None:
    for number, name in enumerate(names):
        conversion = {"representation": "spectrogram", "shift": None, "scale": None,
                      "input": _input(name, number)}  # fmt: skip
        extra = {"conversion": conversion, "parameters": 1000 + number, "gaps": "scattered",
                 "recipe": "sound", "steps": 150, "roles": ["piano"]}  # fmt: skip
        network = f"inpainting/{name.removesuffix('_interpolated').removesuffix(CORRECTS)}"
        card = weights.Card(network, {"width": 0.125}, SAMPLE_RATE, None, 0.0, "trained", "CC0",
                            "demo", ("a" * 64, "b" * 64), extra)  # fmt: skip
        weights.store(folder / f"{name}.safetensors", {"layer.weight": torch.zeros(2)}, card)


def _input(name: str, number: int) -> str:
    if name.endswith(CORRECTS):
        return "autoregressive"
    return "damaged" if number == 0 else "interpolated"


def _write_stimuli(folder: Path, methods: list[str]) -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    wave = (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    conditions = {}
    for place, name in enumerate(("reference", *methods)):
        heard = wave.copy()
        heard[4000:4800] *= np.float32(1 - 0.05 * place)
        path = folder / f"item-00-{name}.flac"
        audio.write(path, heard[None], SAMPLE_RATE)
        conditions[name] = {"file": path.name, "sha256": sha256(path), "gain_db": 0.0}
    item = {"track": "piano-007", "role": "piano", "sample_rate": SAMPLE_RATE, "seconds": 1.0,
            "start_seconds": 2.0, "conditions": conditions}  # fmt: skip
    write_json(folder / "manifest.json", {"items": [item]})
