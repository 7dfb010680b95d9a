"""Published results, printed beside ours with their source; never mixed into a mean of ours."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One published value of one method on one data set; ``role`` is ours that comes closest."""

    data: str
    role: str
    method: str
    metric: str
    value: float
    reference: str


_SUPERRES_README = (
    "olvrhhn/audio_super_resolution, README: ratio 4, means over patches of 8192 samples, "
    "natural-log LSD"
)
_SUPERRES_VALUES = {  # set, nearest role: (spline SNR, spline LSD, TFiLM SNR, TFiLM LSD)
    ("VCTK speaker 1", "speech"): (15.6, 5.4, 16.6, 3.2),
    ("Beethoven piano", "piano"): (19.7, 2.9, 20.4, 2.2),
    ("GTZAN blues", "music"): (13.3, 7.8, 13.8, 3.8),
}
_SUPERRES_CELLS = (
    ("spline", "snr_reference_db"),
    ("spline", "lsd_reference"),
    ("tfilm", "snr_reference_db"),
    ("tfilm", "lsd_reference"),
)

SUPERRES = tuple(
    Published(data, role, method, metric, value, _SUPERRES_README)
    for (data, role), values in _SUPERRES_VALUES.items()
    for (method, metric), value in zip(_SUPERRES_CELLS, values, strict=True)
)

_TELEMIDIA = "TeleMidia/audio_reconstruction, saved notebook outputs: "
_OF_VALIDATION = _TELEMIDIA + "best validation PSNR and NRMSE, FMA small, range 1"
_OF_TEST = _TELEMIDIA + "test PSNR by genre, FMA medium, range 1"
_GAIN = _TELEMIDIA + "test PSNR by genre less that of the damaged input, FMA medium"
_VALIDATION: dict[str, tuple[float, float | None]] = {  # network: (PSNR in dB, NRMSE)
    "Dual_Res_UNet_v2": (56.493, 0.1444),
    "Res_UNet_v2": (56.353, None),
    "VAE_Res_UNet_v2_metade": (56.244, 0.1458),
    "UNet_v2": (56.226, 0.1465),
    "UNet_V2_RFB_TDM": (56.159, 0.1474),
    "Res_UNet_RFB_TDM": (56.060, 0.1496),
    "UNet_RFB_TDM": (55.970, 0.1503),
    "Res_UNet": (55.902, 0.1511),
    "LinkNet_v2": (55.844, 0.1509),
    "Res_Attention_UNet": (55.840, 0.1523),
    "VAE_Res_UNet_v2": (55.828, None),
    "UNet_RFB_FPN": (55.781, 0.1528),
    "UNet": (55.769, 0.1523),
    "Attention_UNet": (55.743, 0.1530),
    "FPN_RFB_RON": (53.329, 0.1881),
    "FPN_RFB_RefineDet": (53.229, 0.1892),
    "FPN_RFB_TDM": (52.552, 0.2029),
    "FPN": (52.389, 0.2064),
}
_GENRES = ("Electronic", "Experimental", "Rock", "Hip-Hop", "Folk", "Instrumental", "Pop",
           "International", "Classical", "Historic", "Jazz", "Country", "Soul-RnB", "Spoken",
           "Blues", "Easy Listening")  # fmt: skip
_TEST: dict[str, tuple[float, ...]] = {  # network: PSNR in dB by genre
    "Dual_Res_UNet_v2": (54.46, 58.53, 53.62, 53.89, 59.57, 58.78, 56.06, 62.15, 68.85, 64.32,
                         60.52, 55.64, 53.51, 65.30, 58.38, 57.61),
    "UNet_v2": (54.22, 58.25, 53.42, 53.68, 59.23, 58.48, 55.81, 61.75, 68.28, 64.01, 60.15,
                55.41, 53.33, 64.94, 58.09, 57.29),
    "Res_UNet": (53.90, 58.02, 53.14, 53.38, 58.84, 58.13, 55.47, 61.47, 68.08, 63.73, 59.86,
                 55.08, 53.00, 64.76, 57.78, 56.93),
    "Res_Attention_UNet": (53.80, 57.98, 53.06, 53.30, 58.82, 58.08, 55.41, 61.46, 68.12, 63.73,
                           59.83, 55.02, 52.90, 64.73, 57.75, 56.90),
    "UNet": (53.81, 57.81, 53.06, 53.30, 58.66, 57.97, 55.36, 61.08, 67.61, 63.52, 59.62, 54.98,
             52.90, 64.32, 57.61, 56.81),
    "Attention_UNet": (53.73, 57.83, 53.04, 53.21, 58.68, 57.99, 55.35, 61.14, 67.82, 63.52,
                       59.66, 54.97, 52.83, 64.44, 57.62, 56.81),
    "FPN_RFB_RON": (51.47, 55.47, 50.70, 50.91, 56.13, 55.51, 52.91, 58.64, 65.13, 60.66, 57.20,
                    52.49, 50.49, 61.90, 55.15, 54.20),
    "FPN_RFB_RefineDet": (51.44, 55.33, 50.58, 50.86, 55.99, 55.38, 52.80, 58.44, 64.92, 60.43,
                          57.07, 52.35, 50.45, 61.75, 55.03, 54.12),
    "FPN": (50.52, 54.61, 49.89, 49.99, 55.12, 54.57, 52.02, 57.62, 64.09, 59.70, 56.21, 51.61,
            49.55, 60.94, 54.19, 53.24),
}  # fmt: skip
# damaged input of the test set, of the three genres whose values were saved: (PSNR in dB, NRMSE)
_DAMAGED = {"Experimental": (46.191, 0.5540), "Hip-Hop": (40.807, 0.5846), "Jazz": (46.947, 0.5584)}


def _inpainting() -> tuple[Published, ...]:
    """Everything that was saved, as published: networks by validation, networks by test genre."""
    found = []
    for method, values in _VALIDATION.items():
        for metric, value in zip(("psnr_db", "nrmse"), values, strict=True):
            if value is not None:
                row = ("FMA validation", "music", method, metric, value, _OF_VALIDATION)
                found.append(Published(*row))
    for genre, values in _DAMAGED.items():
        for metric, value in zip(("psnr_db", "nrmse"), values, strict=True):
            found.append(Published(f"FMA {genre}", genre, "damaged", metric, value, _OF_TEST))
    for method, values in _TEST.items():
        for genre, value in zip(_GENRES, values, strict=True):
            data = f"FMA {genre}"
            found.append(Published(data, genre, method, "psnr_db", value, _OF_TEST))
            if genre in _DAMAGED:
                gain = round(value - _DAMAGED[genre][0], 3)
                found.append(Published(data, genre, method, "psnr_gain_db", gain, _GAIN))
    return tuple(found)


INPAINTING = _inpainting()

_AESTHETICS = (
    "SonicMaster, Table 4: means of Audiobox aesthetics on historical recordings (CE content"
    " enjoyment, CU content usefulness, PC production complexity, PQ production quality)"
)
_AESTHETICS_METRICS = ("audiobox_ce", "audiobox_cu", "audiobox_pc", "audiobox_pq")
_AESTHETICS_VALUES = {
    "low_passed": (6.94, 7.29, 3.45, 6.70),
    "gan": (6.82, 7.19, 3.47, 6.63),
    "babe": (6.96, 7.32, 3.32, 6.79),
    "babe2": (6.79, 7.16, 3.46, 7.05),
}
# The tables of the BEHM-GAN paper itself could not be had.
BANDWIDTH = tuple(
    Published("historical recordings", "historical", method, metric, value, _AESTHETICS)
    for method, values in _AESTHETICS_VALUES.items()
    for metric, value in zip(_AESTHETICS_METRICS, values, strict=True)
)
