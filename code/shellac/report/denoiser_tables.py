"""Tables of denoising: what was gained, at which noise, on which track, and at what price."""

from collections.abc import Mapping, Sequence

import pandas as pd

from shellac.report import style, tables
from shellac.report.tables import ALL_ROLES, Metric

METRICS = {
    "si_sdr_db": Metric("SI-SDR (dB)", True),
    "snr_db": Metric("SNR (dB)", True),
    "kept_band_snr_db": Metric("Kept-band SNR (dB)", True),
    "lsd": Metric("LSD", False),
    "lsd_reference": Metric("Reference LSD", False),
    "clean_snr_db": Metric("SNR on clean music (dB)", True, 1),
    "transients_lost": Metric("Transients lost (%)", False, 1),
    "leakage_db": Metric("Leakage (dB)", False, 1),
    "clicks_per_minute": Metric("Clicks per minute", False, 0),
}
GAINED = {name: METRICS[name] for name in ("si_sdr_db",)}
NOISY, REFERENCE, ORACLE = "noisy", "reference", "oracle_mask"
BASELINES = ("declicked", "classical", "classical_profile")
MEAN, CLEAN = "mean", "clean"
PAIRED_COLUMNS = (
    "role", "snr_db", "method", "method_label", "against", "against_label", "metric",
    "metric_label", "mean", "low", "high", "tracks", "cell", "standing", "notice",
)  # fmt: skip
ITEM_COLUMNS = ("role", "track", "method", "method_label", "si_sdr_db", "over_noisy_db",
                "against", "against_label", "over_classical_db", "notice")  # fmt: skip


def scores(
    over_ratios: pd.DataFrame, clean: pd.DataFrame, networks: Sequence[str], *, notice: str = ""
) -> pd.DataFrame:
    """Lay out every method and metric, means over tracks, as :func:`.tables.build` does.

    Parameters
    ----------
    over_ratios, clean : DataFrame
        Summaries of noisy items, over all their ratios, and of music without noise.
    networks : sequence of str
        Entries of ``denoiser.networks``.

    ``standing`` compares what could be heard alone: neither the noisy input nor the oracle, which
    is told the music, takes part.
    """
    summary = pd.concat([over_ratios, clean], ignore_index=True)
    heard = tables.build(summary, [*BASELINES, *networks], METRICS, notice=notice)
    bounds = tables.build(summary, [NOISY, ORACLE, REFERENCE], METRICS, notice=notice)
    order = [NOISY, *BASELINES, *networks, ORACLE, REFERENCE]
    both = pd.concat([heard, bounds.assign(standing="")], ignore_index=True)
    place = both["method"].map(order.index)
    return both.assign(place=place).sort_values(["role", "place"], kind="stable").drop(
        columns="place"
    ).reset_index(drop=True)  # fmt: skip


def ratios(
    summaries: Mapping[str, pd.DataFrame], networks: Sequence[str], *, notice: str = ""
) -> pd.DataFrame:
    """Stack the SI-SDR of every method at every ratio, with a column ``snr_db``.

    ``summaries`` maps a ratio such as ``6`` to its summary over tracks.
    """
    methods = [NOISY, *BASELINES, *networks, ORACLE]
    built = [
        tables.build(summary, methods, GAINED, notice=notice).assign(snr_db=float(ratio))
        for ratio, summary in summaries.items()
    ]
    stacked = pd.concat(built, ignore_index=True)
    return stacked[stacked["role"] == ALL_ROLES].reset_index(drop=True)


def paired(differences: pd.DataFrame, *, notice: str = "") -> pd.DataFrame:
    """Lay out mean differences to the classical rows, over the same tracks.

    ``differences`` is what :func:`shellac.report.results.paired` returns. The result has
    :data:`PAIRED_COLUMNS`; ``cell`` is signed, ``standing`` as in :func:`.tables.paired`.
    """
    return tables.laid_out(differences, METRICS, PAIRED_COLUMNS, notice=notice)


def best_classical(table: pd.DataFrame) -> str:
    """Return the classical row with the higher mean SI-SDR; ``table`` is that of :func:`scores`."""
    chosen = table[(table["role"] == ALL_ROLES) & (table["metric"] == "si_sdr_db")]
    means = chosen.set_index("method")["mean"]
    return str(means[["classical", "classical_profile"]].idxmax())


def items(
    found: pd.DataFrame, networks: Sequence[str], classical: str, *, notice: str = ""
) -> pd.DataFrame:
    """Return SI-SDR track by track, over all ratios, and what a network gains on ``classical``.

    ``found`` is what :func:`shellac.report.results.denoised` returns.
    """
    chosen = found[(found["snr_db"] == MEAN) & (found["metric"] == "si_sdr_db")]
    wide = chosen.pivot(index=["role", "track", "sha256"], columns="method", values="value")
    rows = []
    for (role, track, _), values in wide.iterrows():
        for name in networks:
            numbers = values[name], values[name] - values[NOISY]
            gained = values[name] - values[classical]
            beside = classical, style.label(classical), gained
            row = (role, track, name, style.label(name), *numbers, *beside, notice)
            rows.append(dict(zip(ITEM_COLUMNS, row, strict=True)))
    return pd.DataFrame(rows, columns=list(ITEM_COLUMNS))
