"""Kill `shellac download` at random moments until it is through; compare with a run left alone.

Run it as a script: ``python tests/faults/kill_campaign.py [KILLS] [SEED]`` from ``code/``. It is
no test of the suite, since its moments are moments of time; the tests of ``tests/download`` kill
at chosen bytes. The server hands out 200 kB at a time, so that a download lasts.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CODE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CODE), str(CODE / "tests")]

import loopback  # noqa: E402
import miniatures  # noqa: E402

from shellac.files import sha256  # noqa: E402

CLIPS, TEXTS = 80, 12_000
PACE_BYTES, PACE_SECONDS = 200_000, 0.02


def archive() -> bytes:
    """A VocalSet of some 25 MB."""
    files = {}
    for number in range(CLIPS):
        singer = miniatures.SINGERS[number % 4]
        name = f"FULL/{singer}/scales/straight/{number:03d}.wav"
        files[name] = miniatures.sound(number, 3.4, 44100)
    files |= {f"lyrics/{number}.txt": b"la" for number in range(TEXTS)}
    return miniatures.zipped(files)


def slowly(handler, content):
    """Answer well, but slowly."""
    first = int(handler.headers.get("Range", "bytes=0-")[6:-1])
    part = f"bytes {first}-{len(content) - 1}/{len(content)}"
    if first:
        handler.start(206, len(content) - first, Content_Range=part)
    else:
        handler.start(200, len(content))
    for start in range(first, len(content), PACE_BYTES):
        handler.wfile.write(content[start : start + PACE_BYTES])
        time.sleep(PACE_SECONDS)


def command(root: Path, site: loopback.Site, content: bytes) -> tuple[list[str], dict[str, str]]:
    """Prepare a repository; return the command to be killed and its environment."""
    shutil.copytree(CODE / "profiles", root / "code" / "profiles")
    (root / "dvc.yaml").touch()
    env = {**os.environ, "SHELLAC_ROOT": str(root), "PYTHONPATH": str(CODE)}
    vouched = miniatures.vouched({"VocalSet11.zip": content})
    shellac = [sys.executable, "-m", "shellac"]
    setting = [f"data.mirror={site.address}", vouched]
    subprocess.run([*shellac, "profile", "full", "--set", *setting], env=env, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    return [*shellac, "download", "vocalset"], env


def hashes(root: Path) -> dict[str, str]:
    """Hash everything that a download leaves under ``data``."""
    files = (path for path in (root / "data").rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): sha256(path) for path in files}


def main(kills: int, seed: int) -> int:
    """Run the campaign; print what happened; return 0 if every hash is the same."""
    moments, content = random.Random(seed), archive()
    where = {"downloading": 0, "unpacking": 0, "before or after": 0}
    with loopback.serving() as site, tempfile.TemporaryDirectory() as folder:
        alone, killed = Path(folder) / "alone", Path(folder) / "killed"
        run, env = command(alone, site, content)
        site.put("/VocalSet11.zip", content, slowly)
        started = time.monotonic()
        subprocess.run(run, env=env, check=True, stdout=subprocess.DEVNULL)
        lasted = time.monotonic() - started
        run, env = command(killed, site, content)
        done = 0
        while done < kills:
            site.put("/VocalSet11.zip", content, slowly)
            process = subprocess.Popen(run, env=env, stdout=subprocess.DEVNULL)
            try:
                process.wait(timeout=lasted * moments.uniform(0.15, 1.0))
                shutil.rmtree(killed / "data")  # it got through: begin again
                continue
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
            done += 1
            place = killed / "data" / "published" / "vocalset"
            if list(place.glob(".*.partial")):
                where["downloading"] += 1
            elif list(place.glob("unpacked/.*.partial")):
                where["unpacking"] += 1
            else:
                where["before or after"] += 1
                shutil.rmtree(place / "unpacked", ignore_errors=True)  # unpack once more
        site.put("/VocalSet11.zip", content)
        subprocess.run(run, env=env, check=True, stdout=subprocess.DEVNULL)
        same = hashes(alone) == hashes(killed)
        left = [str(path) for path in killed.rglob("*.partial*")]
    told = {"kills": done, "fell": where, "same hashes": same, "left behind": left}
    print(json.dumps(told | {"seconds of one run alone": round(lasted, 1)}, indent=1))
    return 0 if same and not left else 1


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:3]]
    sys.exit(main(*(numbers + [20, 7][len(numbers) :])))
