"""The command line: parse, call, print. Heavy modules are imported where a command needs them."""

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import NoReturn

from shellac import __version__
from shellac.allocation import keep_freed_memory
from shellac.commands import plan, slurm
from shellac.errors import ShellacError, one_line
from shellac.paths import path

EXIT_USER, EXIT_DIFFERS = 2, 1


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line."""
        self.exit(EXIT_USER, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    for stream in (sys.stdout, sys.stderr):  # file names need not be valid text
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    keep_freed_memory()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its sums then do not depend on cores
    try:
        status = options.run(options) or 0
        print(end="", flush=True)  # also where there is no output to flush
        return status
    except ShellacError as error:
        print(f"shellac: {one_line(error)}", file=sys.stderr)
        return EXIT_USER
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; so has anyone to tell
        return 141
    except OSError as error:
        print(f"shellac: {one_line(_told(error))}", file=sys.stderr)
        return EXIT_USER
    except KeyboardInterrupt:
        print("shellac: interrupted", file=sys.stderr)
        return 130


def _told(error: OSError) -> str:
    """Say what the system refused: no space, no permission, a name that is too long."""
    place = f"{error.filename}: " if error.filename else ""
    return place + (error.strerror or str(error))


def _natural(text: str) -> int:
    """Parse a seed: a whole number that is not negative."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 0 or more")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="shellac",
        description="Restore degraded and historical music recordings with learned models,"
        " and rebuild the compendium that measures them.",
    )
    parser.add_argument("--version", action="version", version=f"shellac {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    def command(name: str, run: Callable[[argparse.Namespace], int | None], about: str) -> _Parser:
        sub = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
        sub.set_defaults(run=run)
        return sub

    _add_restore(command)
    _add_file_commands(command)
    _add_stage_commands(command)
    _add_listening_test(command)
    plan.add_to(command)
    slurm.add_to(command)
    return parser


def _add_restore(command: Callable[..., _Parser]) -> None:
    sub = command("restore", _restore, "restore recordings, files or whole folders")
    sub.add_argument("inputs", nargs="+", type=path, metavar="INPUT", help="file or folder")
    sub.add_argument("-o", "--out", required=True, type=path, help="folder for the results")
    sub.add_argument("--system", required=True, metavar="S[,S2...]",
                     help="a system or network, or a chain (see shellac systems)")  # fmt: skip
    sub.add_argument("--weights", action="append", default=[], metavar="W",
                     help="published:NAME, trained or a file (.safetensors, or the"
                     " authors' .pth); once, or once a system")  # fmt: skip
    sub.add_argument("--device", default="auto", help="auto, cpu, cuda[:N] or mps")
    sub.add_argument("--precision", metavar="P", help="full (default); on a GPU, tf32 and bf16 are"
                     " faster")  # fmt: skip
    sub.add_argument("--segment-seconds", type=float, metavar="X",
                     help="heard at a time: less needs less memory")  # fmt: skip
    sub.add_argument("--strength", type=float, default=1.0, help="0 (input) to 1 (default)")
    sub.add_argument("--seed", type=_natural, default=0, help="for systems that draw at random")
    sub.add_argument("--skip-done", action="store_true", help="leave finished results alone")
    sub.add_argument("--allow-truncated", action="store_true", help="take what a cut file holds")
    sub.add_argument("--format", choices=("same", "wav", "flac"), default="same")
    sub.add_argument("--keep-input", action="store_true", help="also write the level-matched input")
    sub.add_argument("--clip", choices=("rescale", "clamp", "error"), default="rescale",
                     help="what to do where the result exceeds full scale")  # fmt: skip
    sub.add_argument("--above-band", choices=("drop", "keep"),
                     help="content above the network's band (default: the system's)")  # fmt: skip
    sub.add_argument("--gaps", metavar="FILE",
                     help="auto (default: silence and drop-outs are found), or a list: CSV or"
                     " JSON of start and end in seconds; for systems that fill gaps")  # fmt: skip
    sub.add_argument("--pictures", action="store_true", help="also draw spectrograms (PDF)")
    sub.add_argument("--noise-profile", metavar="START-END|FILE",
                     help="where noise is alone, in seconds or as a recording, for classical"
                     " (default: found by itself)")  # fmt: skip
    sub.add_argument("--quality", choices=("fast", "published"),
                     help="for systems that sample (default: as the weights say)")  # fmt: skip
    sub.add_argument("--steps", type=_natural, metavar="N", help="for systems that sample")
    sub.add_argument("--declip", metavar="LEVEL",
                     help="auto, or a share of full scale: babe2 makes clipped peaks anew, and"
                     " leaves all else as it is; so it does with --gaps")  # fmt: skip
    sub.add_argument("--filter", metavar="FILE",
                     help="how the recording was coloured, if it is known, for babe2: CSV of"
                     " frequency_hz and gain_db")  # fmt: skip
    sub.add_argument("--rate", choices=("same", "network"), default="same",
                     help="rate of the results: the input's, or for inputs of a low rate"
                     " the network's")  # fmt: skip
    sub.add_argument("--mono", choices=("mix", "quieter", "left", "right"),
                     help="one channel of two, for mono records: both groove walls aligned in"
                     " time and averaged, the quieter at every moment, or one")  # fmt: skip
    sub.add_argument("--chunking", choices=("measured", "published"), default="measured",
                     help="published: the authors' own, which may lose an end")  # fmt: skip
    _json_option(sub)


def _add_file_commands(command: Callable[..., _Parser]) -> None:
    sub = command("example", _example, "show what a network makes of full-rate recordings")
    sub.add_argument("inputs", nargs="+", type=path, metavar="FILE", help="file or folder")
    sub.add_argument("-o", "--out", required=True, type=path, help="folder for the results")
    sub.add_argument("--system", default="superres", metavar="S", help="a system or network")
    sub.add_argument("--weights", action="append", default=[], metavar="W",
                     help="published:NAME, trained or a file")  # fmt: skip
    sub.add_argument("--device", default="auto", help="auto, cpu, cuda[:N] or mps")
    _json_option(sub)

    sub = command("generate", _generate, "make up music from a prior alone, without a recording")
    sub.add_argument("-o", "--out", required=True, type=path, help="folder for the result")
    sub.add_argument("--system", default="babe2", metavar="S", help="a system or network")
    sub.add_argument("--weights", metavar="W", help="published:NAME, trained or a file")
    sub.add_argument("--seconds", type=float, metavar="X",
                     help="how long (default: one segment of the network)")  # fmt: skip
    sub.add_argument("--device", default="auto", help="auto, cpu, cuda[:N] or mps")
    sub.add_argument("--seed", type=_natural, default=0, help="of all random draws")
    sub.add_argument("--quality", choices=("fast", "published"))
    sub.add_argument("--steps", type=_natural, metavar="N", help="levels of the sampler")
    _json_option(sub)

    sub = command("degrade", _degrade, "damage recordings on purpose, as time and machines do")
    sub.add_argument("inputs", nargs="+", type=path, metavar="INPUT", help="file or folder")
    sub.add_argument("-o", "--out", required=True, type=path, help="folder for the results")
    sub.add_argument("--recipe", required=True, metavar="R",
                     help="record-noise, low-pass, decimate, gaps or gramophone")  # fmt: skip
    sub.add_argument("--seed", type=_natural, default=0, help="of all random draws")
    _json_option(sub)

    sub = command("noise-from", _noise_from, "cut the noise of records from their silent parts")
    sub.add_argument("inputs", nargs="+", type=path, metavar="RECORDING", help="file or folder")
    sub.add_argument("-o", "--out", required=True, type=path, metavar="FOLDER",
                     help="new folder for the segments and their table")  # fmt: skip
    _json_option(sub)

    sub = command("score", _score, "measure a restoration against its reference")
    sub.add_argument("reference", type=path)
    sub.add_argument("restored", type=path)
    _json_option(sub)

    sub = command("provenance", _provenance, "tell where figures, tables and sounds come from")
    sub.add_argument("files", nargs="+", type=path, metavar="FILE")
    _json_option(sub)

    sub = command("systems", _systems, "list every network: task, rate, size, weights")
    _json_option(sub)


def _add_stage_commands(command: Callable[..., _Parser]) -> None:
    sub = command("profile", _profile, "rewrite params.yaml from a profile")
    sub.add_argument("name")
    sub.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
                     help="change settings, such as superres.training.steps=100")  # fmt: skip
    sub = command("download", _download, "obtain data sets: download, synthesise or catalogue")
    sub.add_argument("names", nargs="+", metavar="NAME")
    sub.add_argument("--mirror", default="", metavar="URL",
                     help="folder with the published files, asked instead of the public"
                     " addresses (default: data.mirror)")  # fmt: skip
    sub = command("fragments", _stage("fragments", "system"), "build a system's training fragments")
    sub.add_argument("system")
    sub = command(
        "train", _stage("train", "network"), "train a network, taking up an unfinished training"
    )
    sub.add_argument("network", help="such as superres/tfilm")
    sub = command(
        "evaluate", _stage("evaluate", "system"), "score a system's networks and baselines"
    )
    sub.add_argument("system")
    sub = command("stimuli", _stage("stimuli", "system"), "cut a system's excerpts for listening")
    sub.add_argument("system")
    sub = command(
        "notebook", _stage("notebook", "name"), "execute a notebook on the current profile"
    )
    sub.add_argument("name")
    sub = command("manuscript", _manuscript, "typeset the manuscript from the results")
    sub.add_argument("--stamp", action="store_true",
                     help="as manuscript/output/manuscript.pdf, with commit and date")  # fmt: skip
    sub.add_argument("--latex", type=path, metavar="DIR", help="its tables and numbers instead")
    sub = command("verify", _verify, "compare outputs with the lock, and the run with the commit")
    sub.add_argument("--keep", action="store_true",
                     help="write the means of the metrics as the reference to commit")  # fmt: skip


def _add_listening_test(command: Callable[..., _Parser]) -> None:
    sub = command("listening-test", _listening_test, "build a listening test; analyse its answers")
    verbs = sub.add_subparsers(metavar="VERB", required=True, parser_class=_Parser, dest="verb")
    build = verbs.add_parser("build", help="build the page, its stimuli and the analyst's key")
    build.add_argument("systems", nargs="*", metavar="SYSTEM",
                       help="systems, or historical (default: all there are)")  # fmt: skip
    build.add_argument("-o", "--out", type=path, metavar="DIR",
                       help="default: results/<profile>/listening-test")  # fmt: skip
    build.add_argument("--conditions", default="", metavar="A,B,...",
                       help="which versions (default: all, or nine by a draw)")  # fmt: skip
    build.add_argument("--seconds", type=float, default=10.0, metavar="X",
                       help="of historical recordings (default 10)")  # fmt: skip
    build.add_argument("--excerpts", type=path, metavar="CSV",
                       help="columns recording, start_seconds (default: by a draw)")  # fmt: skip
    build.add_argument("--seed", type=_natural, help="of all draws (default: the profile's)")
    build.add_argument("--title", default="Listening test")
    build.add_argument("--consent", type=path, metavar="FILE", help="your own text of consent")
    build.add_argument("--webmushra", action="store_true", help="also write it for webMUSHRA")
    analyse = verbs.add_parser("analyse", help="medians, intervals and paired tests of the answers")
    analyse.add_argument("responses", nargs="*", type=path, metavar="RESPONSES",
                         help="JSON or CSV files, or folders of them")  # fmt: skip
    analyse.add_argument("-o", "--out", type=path, metavar="DIR",
                         help="default: results/<profile>/listening-analysis")  # fmt: skip
    analyse.add_argument("--key", type=path,
                         help="default: results/<profile>/listening-test/key.json")  # fmt: skip
    power = verbs.add_parser("power", help="how many listeners a difference asks for (simulated)")
    power.add_argument("--difference", type=float, default=10.0, metavar="POINTS")
    power.add_argument("--deviation", type=float, default=15.0, metavar="POINTS",
                       help="of one rating around its listener's opinion")  # fmt: skip
    power.add_argument("--systems", type=_natural, default=5, metavar="N")
    power.add_argument("--trials", type=_natural, default=5, metavar="N")
    for verb in (build, analyse, power):
        _json_option(verb)


def _json_option(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--json", action="store_true", help="print JSON for programs")


def _each(options: argparse.Namespace, run: Callable, expect: Callable | None = None) -> int:
    """Run every job, of which ``expect`` is told beforehand; report the bad ones, do the others,
    and say so by the exit status."""
    from shellac.commands.inputs import collect

    needed = [getattr(options, name, None) for name in ("gaps", "noise_profile", "filter")]
    jobs, others = collect(options.inputs, options.out, [*filter(None, needed)])
    if expect:
        expect(jobs)
    records, failed = [], 0
    for job in jobs:
        try:
            records.append(run(job))
        except (ShellacError, OSError) as error:
            failed += 1
            cause = _told(error) if isinstance(error, OSError) else str(error)
            named = cause if str(job.source) in cause else f"{job.source}: {cause}"
            print(f"shellac: {one_line(named)}", file=sys.stderr)
    if options.json:
        print(json.dumps([record for record in records if record], indent=1))
    elif len(jobs) > 1 or others:
        skipped = sum(record is None for record in records)
        parts = [f"{len(records) - skipped} done"]
        parts += [f"{skipped} done before"] if skipped else []
        parts += [f"{failed} failed"] if failed else []
        parts += [f"{others} other files passed over"] if others else []
        print(", ".join(parts))
    return EXIT_USER if failed else 0


def _restore(options: argparse.Namespace) -> int:
    from shellac.commands.restore import Options, Session

    keep_freed_memory("small")  # its memory must not grow with the recording
    systems = tuple(map(str.strip, options.system.split(",")))
    fields = Options.__dataclass_fields__.keys() - {"systems", "weights"}
    chosen = {name: getattr(options, name) for name in fields}
    session = Session(
        Options(systems, tuple(options.weights), **chosen),
        tell=None if options.json else lambda line: print(line, flush=True),
    )

    def run(job: object) -> dict | None:
        record = session.run(job)
        if record and not options.json:
            rate = record["input"]["samples"] / record["input"]["sample_rate"]
            print(
                one_line(job.source) + f": {rate:.1f} s in {record['seconds']:.1f} s"
                f" ({rate / record['seconds']:.1f} x real time,"
                f" peak memory {record['peak_memory_mb']:.0f} MB)"
            )
        return record

    return _each(options, run, session.expect)


def _example(options: argparse.Namespace) -> int:
    from shellac.commands.restore import picture_module

    picture_module()  # before the import of what needs it
    from shellac.commands.example import Session

    session = Session(options.system, tuple(options.weights), options.device)
    status = _each(options, session.run)
    session.finish(options.out)
    return status


def _degrade(options: argparse.Namespace) -> int:
    from shellac.commands.degrade import check_recipe, degrade

    check_recipe(options.recipe)
    return _each(options, lambda job: degrade(job, options.recipe, options.seed))


def _generate(options: argparse.Namespace) -> None:
    from shellac.commands.generate import generate

    record = generate(
        options.out, options.system, options.weights, options.seconds, options.device,
        options.seed, options.quality, options.steps,
    )  # fmt: skip
    print(json.dumps(record, indent=1) if options.json else str(options.out / record["output"]))


def _noise_from(options: argparse.Namespace) -> int:
    from shellac.commands.noise_from import Session

    session = Session(options.out)

    def run(job: object) -> dict:
        record = session.run(job)
        if not options.json:
            cuts = ", ".join(
                f"{row['start_seconds']:.2f} to {row['stop_seconds']:.2f} s"
                for row in record["segments"]
            )
            print(f"{one_line(record['source'])}: {cuts}")
        return record

    return _each(options, run)


def _score(options: argparse.Namespace) -> None:
    from shellac.commands.score import score

    records = score(options.reference, options.restored)
    if options.json:
        print(json.dumps(records, indent=1))
        return
    for record in records:
        print(f"{record['metric']:<20} {record['value']:>9.3f} {record['unit']:<3}"
              f" {record['definition']}")  # fmt: skip


def _provenance(options: argparse.Namespace) -> int:
    from shellac.commands.provenance import origin

    found = [origin(path) for path in options.files]
    if options.json:
        print(json.dumps([each.record() for each in found], indent=1))
    else:
        print(*(line for each in found for line in each.lines()), sep="\n")
    return EXIT_DIFFERS if any(each.changed for each in found) else 0


def _systems(options: argparse.Namespace) -> None:
    from shellac.commands.systems import describe

    records = describe()
    if options.json:
        print(json.dumps(records, indent=1))
        return
    for record in records:
        present = [weight["name"] for weight in record["weights"] if weight["present"]]
        learned = (f", {record['sample_rate']} Hz, {record['parameters'] / 1e6:.1f} M parameters,"
                   f" weights here: {', '.join(present) or 'none'}")  # fmt: skip
        print(f"{record['name']:<20} {record['task']}{learned if record['parameters'] else ''}")
        print(f"{'':<20} {record['use_when']}")


def _verify(options: argparse.Namespace) -> int:
    from shellac import paths
    from shellac.commands import verify

    if options.keep:
        print(verify.keep().relative_to(paths.root()))
        return 0
    verdict = verify.verify()
    print(*verdict.lines, sep="\n")
    return EXIT_DIFFERS if verdict.wrong else 0


def _listening_test(options: argparse.Namespace) -> None:
    from shellac.commands import listening_test

    verb = {"build": _pipeline().listening_test, "analyse": listening_test.analyse,
            "power": listening_test.power}[options.verb]  # fmt: skip
    record, lines = verb(options)
    print(json.dumps(record, indent=1) if options.json else "\n".join(lines))


def _profile(options: argparse.Namespace) -> None:
    from shellac.config import apply_profile

    settings = apply_profile(options.name, options.set)
    print(f"params.yaml is profile {settings.profile}")


def _download(options: argparse.Namespace) -> None:
    for name in options.names:
        _pipeline().download(name, options.mirror)


def _stage(name: str, argument: str) -> Callable[[argparse.Namespace], None]:
    return lambda options: getattr(_pipeline(), name)(getattr(options, argument))


def _manuscript(options: argparse.Namespace) -> None:
    _pipeline().manuscript(stamp=options.stamp, latex=options.latex)


def _pipeline() -> ModuleType:
    os.environ.setdefault("MKL_NUM_THREADS", "1")  # stages have torch's threads from params.yaml
    from shellac import pipeline

    return pipeline
