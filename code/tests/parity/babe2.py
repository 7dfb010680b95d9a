"""How the BABE-2 cases are run."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from parity.cases import Case

from shellac import published
from shellac.systems.babe2 import diffusion, fitting, ltas, sampler
from shellac.systems.babe2.filters import PARTS, Filter, Grid, respond
from shellac.systems.babe2.operators import Blind
from shellac.systems.babe2.posterior import Posterior, PublishedGuidance

Arrays = dict[str, np.ndarray]


def schedule(told: Mapping[str, Any]) -> diffusion.Schedule:
    """Build a schedule from the published names, whose numbers may be words."""
    keys = ("sigma_min", "sigma_max", "ro", "Schurn", "Snoise", "Stmin", "Stmax")
    return diffusion.Schedule(*(float(told[key]) for key in keys))


def edm(case: Case) -> Arrays:
    """Coefficients, levels and training pairs of every variant."""
    found = {}
    for name, told in case.description["settings"].items():
        outputs = _edm_of(told, {key: torch.from_numpy(case.arrays[f"in_{name}_{key}"])
                                 for key in ("sigma", "u", "x", "noise")})  # fmt: skip
        found |= {f"out_{name}_{key}": value.numpy() for key, value in outputs.items()}
    return found


def _edm_of(told: Mapping[str, Any], given: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    training, tester = told["training"], told["tester"]
    sigma_data = float(training["sigma_data"])
    skip, out, scale, conditioning = diffusion.coefficients(given["sigma"], sigma_data)
    levels = diffusion.TrainingLevels(
        "published", float(training["sigma_min"]), float(training["sigma_max"]),
        float(training["ro_train"]),
    )  # fmt: skip
    sampled, steps = schedule(tester["diff_params"]), int(tester["T"])
    warm, full = sampled.levels(steps, float(tester["start_sigma"])), sampled.levels(steps)
    seen, _, target = diffusion.training_pair(
        given["x"], given["noise"], given["sigma"][: len(given["x"])], sigma_data
    )
    return {
        "cskip": skip, "cout": out, "cin": scale, "cnoise": conditioning,
        "weight": diffusion.loss_weight(given["sigma"], sigma_data),
        "train_sigma": levels.of(given["u"], sigma_data),
        "schedule_unconditional": schedule(training).levels(50),
        "net_input": seen, "target": target,
        "schedule_warm": warm, "schedule_full": full,
        "gamma_warm": sampled.gamma(warm), "gamma_full": sampled.gamma(full),
    }  # fmt: skip


def fit_settings(filters: Mapping[str, Any], nested: Mapping[str, Any]) -> fitting.FitSettings:
    """Build the fit's settings from the published names."""
    chosen, penalty = filters["optimization"], nested["collapse_regularization"]
    return fitting.FitSettings(
        lowest_hz=float(filters["fcmin"]), highest_hz=float(filters["fcmax"]),
        least_slope=float(filters["Amin"]), greatest_slope=float(filters["Amax"]),
        wall=float(filters["Alim"]), bound_corners=chosen["clamp_fc"],
        bound_slopes=chosen["clamp_A"], falling_above=chosen["only_negative_Ap"],
        wall_above=chosen["last_slope_fixed"], wall_below=chosen["first_slope_fixed"],
        block_low=chosen["block_low_freq"], weighting=nested["freq_weighting_filter"],
        collapse_weight=float(penalty["lambda_reg"]) * penalty.get("use", True),
        collapse_beta=float(penalty["beta"]), collapse_gamma=float(penalty["gamma"]),
        learning_rate=float(filters.get("lr_filter", 10)), clip=float(chosen["grad_clip"]),
        iterations=int(chosen["max_iter"]), tolerance=tuple(map(float, chosen["tol"])),
    )  # fmt: skip


def filters(case: Case) -> Arrays:
    """Responses, costs, gradients and projections of every set of parameters."""
    settings, arrays = case.description["settings"], case.arrays
    grid = Grid(settings["sample_rate"], settings["NFFT"], published_start=True)
    fit = fit_settings(settings, settings)
    x, y = torch.from_numpy(arrays["in_x"]), torch.from_numpy(arrays["in_y"])
    statistics = fitting.reduce(grid.magnitudes(x), grid.magnitudes(y), fit.weighting)
    found = {}
    for i in range(sum(name.endswith("_fref") and "wild" not in name for name in arrays
                       if name.startswith("in_"))):  # fmt: skip
        shape = Filter.of({name: arrays[f"in_{i}_{name}"] for name in PARTS})
        wild = Filter.of({name: arrays[f"in_{i}_wild_{name}"] for name in PARTS})
        response = respond(shape, grid, fit.block_low)
        penalty, cost = fitting.collapse(shape, fit)[0], statistics.cost(response)
        outputs = {
            "H": response.magnitude, "filtered": grid.apply(response.tensor(x), x).numpy(),
            "cost": np.array([cost]), "collapse": np.array([penalty]),
        }  # fmt: skip
        gradient = shape.parts(statistics.cost_gradient(response))
        outputs |= {f"grad_{name}": value for name, value in gradient.items()}
        projected = fitting.project(wild, fit).parts()
        outputs |= {f"projected_{name}": value for name, value in projected.items()}
        found |= {f"out_{i}_{name}": value for name, value in outputs.items()}
    return found


def average_spectra(case: Case) -> Arrays:
    """The reference smoothed, the recording's spectrum, and the recording equalised."""
    settings, arrays = case.description["settings"], case.arrays
    rate, n_fft = settings["sample_rate"], settings["LTAS_fft"]
    recording, reference = arrays["in_recording"][None], arrays["in_LTAS_ref"].astype(float)
    heard = ltas.power(recording / recording.std(ddof=1), n_fft)
    gain = 10 ** (-ltas.difference_db(heard, reference, rate) / 20)
    made = np.concatenate(list(ltas.equalised(recording, gain, published_end=True)), axis=1)
    return {
        "out_LTAS_ref_smooth": ltas.smooth(reference, rate),
        "out_LTAS_recording": heard,
        "out_x_init": made[0] * (recording.std(ddof=1) / made.std(ddof=1)),
    }


class _Watched(Blind):
    """A blind filter that notes what it was after every fit."""

    def __init__(self, *told: Any):
        super().__init__(*told)
        self.seen: list[Filter] = []

    def listen(self, estimate: torch.Tensor, sigma: float) -> None:
        super().listen(estimate, sigma)
        self.seen.append(self.fit.shape)


def sampler_step(case: Case) -> Arrays:
    """One blind step of second order."""
    told, arrays = case.description["settings"], case.arrays
    given = {name: torch.from_numpy(value) for name, value in arrays.items()}
    network = published.load("babe2_network", case.weights(), told)
    denoiser = diffusion.Denoiser(network, float(told["diff_params"]["sigma_data"]))
    steps, i = schedule(told["diff_params"]), told["step"]
    levels = steps.levels(told["T"], float(told["start_sigma"]))
    gamma = steps.gamma(levels)[i]
    posterior, settings = _posterior(told, arrays, given["in_y"])
    noises = iter(given[f"in_noise_{name}"] for name in ("step", "y1", "y2"))
    done = sampler.step(
        lambda x, sigma: network.cqt.in_band(denoiser(x, sigma)), given["in_x"],
        levels[i].item(), levels[i + 1].item(), gamma.item(), lambda like: next(noises),
        posterior, told["order"], steps.churn_noise,
    )  # fmt: skip
    found = {"out_t": levels[i : i + 2].numpy(), "out_gamma": gamma[None].numpy(),
             "out_x_next": done.x.numpy()}  # fmt: skip
    for number, evaluation in enumerate(done.evaluations, start=1):
        found |= {
            f"out_denoised{number}": evaluation.estimate.numpy(),
            f"out_guidance{number}": evaluation.guidance.numpy(),
            f"out_rec_loss{number}": evaluation.loss.numpy(),
        }
        parts = settings.seen[number - 1].parts()
        found |= {f"out_filter{number}_{name}": part for name, part in parts.items()}
    return found


def _posterior(
    told: Mapping[str, Any], arrays: Arrays, observation: torch.Tensor
) -> tuple[Posterior, _Watched]:
    rate, chosen, blind = told["sample_rate"], told["posterior_sampling"], told["blind_bwe"]
    highest = rate / 2 if blind["fcmax"] == "nyquist" else blind["fcmax"]
    nested = {
        "collapse_regularization": told["collapse_regularization"],
        "freq_weighting_filter": chosen["freq_weighting_filter"],
    }
    shape = Filter.of({name: arrays[f"in_filter_{name}"] for name in PARTS})
    grid = Grid(rate, blind["NFFT"], published_start=True)
    fit = fitting.Fit(grid, fit_settings({**blind, "fcmax": highest}, nested), shape)
    operator = _Watched(fit, observation)
    noise = chosen["annealing_y"]
    guidance = PublishedGuidance(
        float(chosen["xi"]), noise["mode"], float(noise["sigma_min"]),
        chosen["normalization"] == "loss_norm",
    )  # fmt: skip
    return Posterior(observation, operator, guidance), operator


RUNNERS = {"babe2_edm": edm, "babe2_filter": filters, "babe2_ltas": average_spectra,
           "babe2_step": sampler_step}  # fmt: skip
