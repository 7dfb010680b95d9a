"""Recordings with flipped bits, cuts and lying sizes: read whole, or refused in one line.

``make faults`` tries 10,000; crashes and silence of the decoder are reasons to refuse like others.
"""

import numpy as np
import pytest
import soundfile
from faults.amounts import amount
from sounds import tone

from shellac import audio
from shellac.cli import main
from shellac.errors import AudioError

SUBTYPES = {
    "wav": "PCM_16", "flac": "PCM_16", "ogg": "VORBIS", "mp3": "MPEG_LAYER_III", "aiff": "PCM_24",
}  # fmt: skip
HEADER = 200  # bytes, where flips and lies hurt most
THROUGH_A_COMMAND = 10  # of so many, one goes through a command


def flipped(raw, rng):
    """Flip up to twelve bits, half of them in the header."""
    for _ in range(rng.integers(1, 13)):
        place = rng.integers(min(HEADER, len(raw)) if rng.random() < 0.5 else len(raw))
        raw[place] ^= 1 << rng.integers(8)
    return raw


def cut(raw, rng):
    """Leave out a stretch: the end, or something before it."""
    start = int(rng.integers(len(raw)))
    stop = len(raw) if rng.random() < 0.5 else int(rng.integers(start, len(raw) + 1))
    return raw[:start] + raw[stop:]


def lying(raw, rng):
    """Write a number where sizes, rates and counts lie."""
    number = int(rng.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, rng.integers(1 << 32)]))
    width = int(rng.choice([1, 2, 4, 8]))
    place = int(rng.integers(min(HEADER, len(raw)) - width))
    order = "little" if rng.random() < 0.5 else "big"
    raw[place : place + width] = (number & ((1 << 8 * width) - 1)).to_bytes(width, order)
    return raw


@pytest.mark.parametrize("suffix", SUBTYPES)
def test_a_mutated_file_is_read_or_refused(tmp_path, capsys, suffix, record_property):
    good = tmp_path / f"good.{suffix}"
    soundfile.write(good, tone(0.4, 16000, 2).T, 16000, subtype=SUBTYPES[suffix])
    intact, rng = good.read_bytes(), np.random.default_rng(list(suffix.encode()))
    source, out = tmp_path / f"mutated.{suffix}", tmp_path / "out"
    outcomes = {"read": 0, "refused": 0}
    for number in range(amount(20, 2000)):
        mutation = (flipped, cut, lying)[number % 3]
        source.write_bytes(mutation(bytearray(intact), rng))
        allowed = bool(rng.integers(2))
        try:
            facts = audio.inspect(source, allow_truncated=allowed)
            assert np.isfinite(facts.peak) and np.isfinite(facts.rms) and facts.samples > 0
            outcomes["read"] += 1
        except AudioError as error:
            assert str(source) in str(error) and "\n" not in str(error)
            outcomes["refused"] += 1
        if number % THROUGH_A_COMMAND == 0:
            through_a_command(source, out, capsys)
    assert outcomes["refused"]
    record_property("inputs", sum(outcomes.values()))
    with capsys.disabled():
        print(f"\n{suffix}: {outcomes}")


def through_a_command(source, out, capsys):
    """Degrade it: a whole result or none, and in no case anything temporary."""
    status = main(["degrade", str(source), "-o", str(out), "--recipe", "low-pass"])
    told = capsys.readouterr()
    made = sorted(path.name for path in out.iterdir()) if out.exists() else []
    if status == 2:
        assert told.err.count("\n") == 1 and source.name in told.err
        assert not made
    else:
        assert (status, len(made)) == (0, 2)
        audio.inspect(out / next(name for name in made if "degraded" in name))
        for name in made:
            (out / name).unlink()
        out.rmdir()
