"""How the BEHM-GAN cases are run."""

import numpy as np
import torch
from parity import rules
from parity.cases import Case

from shellac import published
from shellac.systems.behm_gan import degradation, discriminators, losses, published_pipeline
from shellac.systems.denoiser import mixing, scores
from shellac.systems.spectrogram_front import transformed
from shellac.transforms.stft import HAMMING_1024


def generator(case: Case) -> dict[str, np.ndarray]:
    """One call on a spectrogram."""
    loaded = published.load("behm_generator", case.weights(), case.description["settings"])
    with torch.inference_mode():
        out = loaded(torch.from_numpy(case.arrays["in_spectrogram"]))
    return {"out_spectrogram": out.numpy()}


def waveform(case: Case) -> dict[str, np.ndarray]:
    """From waveform to waveform, with the noise given."""
    loaded = published.load("behm_generator", case.weights(), case.description["settings"])
    x = torch.from_numpy(case.arrays["in_waveform"] + case.arrays["in_noise"])
    with torch.inference_mode():
        out = transformed(loaded, x, HAMMING_1024)[:, : x.shape[-1]]
    return {"out_waveform": out.numpy()}


def baseline(case: Case) -> dict[str, np.ndarray]:
    """One call of a waveform network."""
    loaded = published.load(case.description["model"], case.weights())
    with torch.inference_mode():
        out = loaded(torch.from_numpy(case.arrays["in_waveform"])[:, None])
    return {"out_waveform": out.numpy()}


def scored(case: Case) -> dict[str, np.ndarray]:
    """Scores, features and losses of the discriminators."""
    loaded = published.load("behm_discriminators", case.weights())
    with torch.inference_mode():
        real = loaded(torch.from_numpy(case.arrays["in_real"]))
        generated = loaded(torch.from_numpy(case.arrays["in_generated"]))
        outputs = {"out_feature_last_3": real[3][1][5]}
        for scale, ((wanted, features), (made, _)) in enumerate(zip(real, generated, strict=True)):
            rms = torch.stack([feature.square().mean().sqrt() for feature in features])
            outputs[f"out_real_{scale}"] = wanted
            outputs[f"out_generated_{scale}"] = made
            outputs[f"out_feature_rms_{scale}"] = rms
        made = [scores for scores, _ in generated]
        kept = torch.stack(discriminators.distances_from_one([scores for scores, _ in real]))
        told = torch.stack(discriminators.distances_from_zero(made))
        fooled = torch.stack(discriminators.distances_from_one(made))
        outputs |= {
            "out_discriminator_terms_real": kept,
            "out_discriminator_terms_generated": told,
            "out_discriminator_loss": (kept.sum() + told.sum())[None],
            "out_generator_terms": fooled,
            "out_generator_loss": fooled.sum()[None],
        }
    return {name: value.numpy() for name, value in outputs.items()}


def pipeline(case: Case) -> dict[str, np.ndarray]:
    """The authors' command line with both networks."""
    settings = case.description["settings"]
    second = rules.checkpoint(
        case.description["parameters_generator"], case.description["seed_generator"]
    )
    denoiser = published.load("denoiser", case.weights(), {"config": settings["denoiser"]})
    extender = published.load("behm_generator", second, {"config": settings["generator"]})
    mono = published_pipeline.heard(case.arrays["in_waveform"], settings["input_sample_rate"])
    stages = (
        lambda x: transformed(lambda spectrogram: denoiser(spectrogram).final, x, HAMMING_1024),
        lambda x: transformed(extender, x, HAMMING_1024),
    )
    with torch.inference_mode():
        denoised, extended = published_pipeline.run(
            mono, stages, settings["segment"], settings["overlap"]
        )
    return {"out_input": mono, "out_denoised": denoised, "out_bwe": extended}


def training_operations(case: Case) -> dict[str, np.ndarray]:
    """Filters, losses, measures, noise and mixture."""
    arrays, settings = case.arrays, case.description["settings"]
    told = settings["filters"]
    bank = degradation.filter_bank(
        told["count"], told["taps"], told["mean_cutoff_hz"], told["std_cutoff_hz"],
        told["numpy_legacy_seed"], settings["sample_rate"],
    )  # fmt: skip
    reference = torch.from_numpy(arrays["in_reference"])
    estimate = torch.from_numpy(arrays["in_estimate"])
    chosen = torch.from_numpy(bank[arrays["in_filter_index"].astype(int)])
    table = losses.stft_losses(estimate, reference, settings["stft_loss"]["fft_sizes"])
    extension = settings["noise_extension"]
    noise = mixing.extended(
        arrays["in_short_noise"], extension["target_samples"], settings["sample_rate"],
        int(extension["crossfade_hann_samples"]),
    )  # fmt: skip
    clean = arrays["in_reference"][0, :20000]
    mix, scaled = mixing.mixed(
        clean, noise[: len(clean)], arrays["in_snr_db"].item(), arrays["in_scale_db"].item()
    )
    return {
        "out_filters": bank,
        "out_lowpassed": degradation.low_passed(reference, chosen).numpy(),
        "out_per_resolution": table.numpy(),
        "out_log_magnitude_loss": table[:, 0].mean()[None].numpy(),
        "out_spectral_convergence_loss": table[:, 1].mean()[None].numpy(),
        "out_snr_sum": scores.snr_db(estimate, reference).sum()[None].numpy(),
        "out_lsd_sum": scores.lsd(estimate, reference).sum()[None].numpy(),
        "out_extended_noise": noise,
        "out_mix": mix,
        "out_clean": scaled,
    }


RUNNERS = {
    "behm_generator": generator,
    "behm_wave": waveform,
    "behm_audiounet": baseline,
    "behm_seanet": baseline,
    "behm_discriminators": scored,
    "behm_pipeline": pipeline,
    "behm_training_ops": training_operations,
}
