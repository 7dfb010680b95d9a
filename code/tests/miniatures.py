"""Miniatures of every published data set: the exact layouts, a few short files each."""

import csv
import hashlib
import io
import json
import tarfile
import zipfile

import numpy as np
import soundfile

from shellac.datasets.catalogue import CATALOGUE

GENRES = ("Electronic", "Experimental", "Folk", "Hip-Hop", "Instrumental", "International", "Pop",
          "Rock")  # fmt: skip
SINGERS = ("female1", "female2", "male1", "male2")
UTTERANCES = (*range(340, 360), 363, 364, 365, 366)
SPEAKERS = ("p226", "p227", "p280", "p347", "p376", "s5")


def sound(seed, seconds=1.0, rate=16000, kind="WAV", channels=1):
    """Return the bytes of a recording that no other seed gives."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * (200 + seed % 97) * time) * np.exp(-time)
    waveform = 0.3 * tone[:, None] + 0.01 * rng.standard_normal((len(time), channels))
    subtype = {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}.get(kind, "PCM_16")
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, format=kind, subtype=subtype)
    return file.getvalue()


def table(*rows):
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def zipped(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def tarred(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def maestro():
    rows = [("canonical_composer", "canonical_title", "split", "year", "midi_filename",
             "audio_filename", "duration")]  # fmt: skip
    files = {}
    splits = ("train", "train", "train", "validation", "test")
    for year in (2004, 2018):
        for number, split in enumerate(splits):
            name = f"{year}/MIDI-Unprocessed_{number:02d}_wav"
            rows.append(("Frédéric Chopin", f'Étude, "{number}"', split, year, f"{name}.midi",
                         f"{name}.wav", 1.0))  # fmt: skip
            files[f"maestro-v3.0.0/{name}.wav"] = sound(year * 10 + number, 1, 44100, channels=2)
            files[f"maestro-v3.0.0/{name}.midi"] = b"MThd"
    files["maestro-v3.0.0/maestro-v3.0.0.csv"] = table(*rows)
    files["maestro-v3.0.0/maestro-v3.0.0.json"] = b"{}"
    return {"maestro-v3.0.0.zip": zipped(files)}


def musicnet():
    rows = [("id", "composer", "composition", "movement", "ensemble", "source", "transcriber",
             "catalog_name", "seconds")]  # fmt: skip
    files = {}
    ensembles = ("Solo Piano", "Solo Piano", "String Quartet", "Wind Quintet")
    for number in range(14):
        part = "test" if number >= 12 else "train"
        identity = 1727 + 3 * number
        rows.append((identity, "Beethoven", f"Work {number // 2}", "1. Allegro",
                     ensembles[number % 4], "", "", "OP", 1))  # fmt: skip
        files[f"musicnet/{part}_data/{identity}.wav"] = sound(identity, 1, 44100)
        files[f"musicnet/{part}_labels/{identity}.csv"] = b"start_time,end_time\n"
    return {"musicnet.tar.gz": tarred(files), "musicnet_metadata.csv": table(*rows)}


def gtzan(kind="au"):
    files = {}
    for number in range(20):
        name = f"blues/blues.{number:05d}.{kind}"
        files[f"genres/{name}"] = sound(number, 2, 22050, kind.upper())
    for number in (3, 53, 54):
        files[f"genres/jazz/jazz.{number:05d}.{kind}"] = sound(100 + number, 2, 22050, kind.upper())
    files[f"genres/jazz/jazz.00054.{kind}"] = b"damaged"
    return {"genres.tar.gz": tarred(files)}


def vctk_files(version="0.92"):
    named = {f"p225/p225_{number:03d}": number for number in UTTERANCES}
    named |= {f"{who}/{who}_{n:03d}": 1000 * i + n
              for i, who in enumerate(SPEAKERS) for n in (1, 2)}  # fmt: skip
    files = {}
    for name, seed in named.items():
        speaker = name.partition("/")[0]
        if version == "0.80":
            files[f"VCTK-Corpus/wav48/{name}.wav"] = sound(seed, 1, 48000)
            files[f"VCTK-Corpus/txt/{name}.txt"] = b"Please call Stella."
            continue
        files[f"wav48_silence_trimmed/{name}_mic1.flac"] = sound(seed, 1, 48000, "FLAC")
        if speaker != "p280":
            files[f"wav48_silence_trimmed/{name}_mic2.flac"] = sound(seed + 7, 1, 48000, "FLAC")
        files[f"txt/{name}.txt"] = b"Please call Stella."
    return files | {"speaker-info.txt": b"ID AGE GENDER"}


def gramophone_noise():
    files, rows = {}, [("recording", "segments", "largest_segment", "split")]
    for number, split in enumerate(("train", "train", "validation", "test")):
        names = [f"seg, {number}-{each}.wav" for each in range(2)]
        rows.append((f"disc_{number}", str(names), names[0], split))
        for each, name in enumerate(names):
            seed, length = 50 + 2 * number + each, 2 - each  # 1 s is too short to be repeated
            files[f"disc_{number}/{name}"] = sound(seed, length, 44100, channels=2)
    return {"Gramophone_Record_Noise_Dataset.zip": zipped({"info.csv": table(*rows)} | files)}


def fma():
    """Small: 5 clips of each of 8 genres; medium: 20 of three genres besides; large, full: 1."""
    heads = ("", "set", "set", "artist", "track", "track"), (
        "", "split", "subset", "id", "genre_top", "license")  # fmt: skip
    rows, small, medium = [*heads, ("track_id", "", "", "", "", "")], {}, {}
    splits = ("training", "training", "training", "validation", "test")
    for number in range(60):
        extra = number >= 40
        genre = (
            ("International", "Jazz", "Jazz", "Blues")[number % 4] if extra else GENRES[number % 8]
        )
        track = 2 + 2500 * number
        subset = "medium" if extra else "small"
        rows.append((track, splits[number % 5], subset, number // 2, genre, f"CC BY {number % 4}"))
        clip, name = sound(number, 2, 44100, "MP3"), f"{track:06d}"[:3] + f"/{track:06d}.mp3"
        medium[f"fma_medium/{name}"] = clip
        if not extra:
            small[f"fma_small/{name}"] = clip
    rows.append((199_999, "training", "large", 99, "Rock", "CC0"))
    large = {name.partition("/")[2]: clip for name, clip in medium.items()}
    large["199/199999.mp3"] = sound(60, 2, 44100, "MP3")
    return {
        "fma_small.zip": zipped(small | {"fma_small/checksums": b""}),
        "fma_medium.zip": zipped(medium),
        **{f"{folder}.zip": zipped({f"{folder}/{name}": clip for name, clip in large.items()})
           for folder in ("fma_large", "fma_full")},
        "fma_metadata.zip": zipped({"fma_metadata/tracks.csv": table(*rows),
                                    "fma_metadata/genres.csv": b"genre_id\n"}),
    }  # fmt: skip


def vocalset():
    files = {}
    for seed, singer in enumerate(SINGERS):
        for number in range(4):
            name = f"FULL/{singer}/scales/vibrato/{singer[0]}{singer[-1]}_scale_{number}.wav"
            files[name] = sound(10 * seed + number, 1, 44100)
    files["train_singers_technique.txt"] = b"female1\nmale1\nmale2\n"
    files["test_singers_technique.txt"] = b"female2\n"
    return {"VocalSet11.zip": zipped(files)}


def beethoven():
    files = {}
    for number, item in enumerate(CATALOGUE["beethoven"].items):
        clip = sound(number, 3, 16000, "OGG")
        note = {
            "metadata": {"licenseurl": "http://creativecommons.org/publicdomain/mark/1.0/"},
            "files": [
                {
                    "name": f"{item} I.ogg",
                    "size": str(len(clip)),
                    "sha1": hashlib.sha1(clip).hexdigest(),
                },
                {"name": f"{item} I.mp3", "size": "1", "sha1": ""},
            ],
        }
        files[f"{item}/item.json"] = json.dumps(note).encode()
        files[f"{item}/{item}%20I.ogg"] = clip
    return files


def beethoven_arrays():
    rng, files = np.random.default_rng(0), {}
    for split, rows in (("train", 5), ("valid", 3), ("test", 2)):
        file = io.BytesIO()
        np.save(file, (0.1 * rng.standard_normal((rows, 12_800))).astype(np.float16))
        files[f"music_{split}.npy"] = file.getvalue()
    return files


def everything():
    """Return file name -> content of every set that a program can fetch."""
    return {
        **maestro(), **musicnet(), **gtzan(), **gramophone_noise(), **fma(), **vocalset(),
        **beethoven(), **beethoven_arrays(), "VCTK-Corpus-0.92.zip": zipped(vctk_files()),
    }  # fmt: skip


def vouched(contents):
    """Return the setting by which a user vouches for these archives instead of the published."""
    sums = ", ".join(
        f"'{name}': 'sha256:{hashlib.sha256(content).hexdigest()}'"
        for name, content in contents.items()
        if "/" not in name
    )
    return f"data.checksums={{{sums}}}"


def serve(site, contents):
    """Put everything on a server."""
    for name, content in contents.items():
        site.put(f"/{name.replace(' ', '%20')}", content)
