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
