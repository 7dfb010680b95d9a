"""The pipeline's stages: settings in, one piece of work each, and a record of what it cost."""

import argparse
import platform
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shellac import __version__, config, paths, weights
from shellac.allocation import peak_mb
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.errors import ShellacError, UsageError, naming
from shellac.files import atomic_folder, write_json
from shellac.systems import registry
from shellac.training import processes

PRETRAINED, GALLERY = "pretrained", "gallery"


@contextmanager
def _recorded(stage: str, *parts: str) -> Iterator[Settings]:
    """Yield the settings; on success note time and memory among the unhashed records."""
    if processes.count() > 1 and stage != "train":
        raise UsageError(f"shellac {stage} is for one process: start it without torchrun")
    settings, started = config.load(), time.perf_counter()
    yield settings
    if processes.number():
        return
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    write_json(
        paths.record(settings.profile, stage, *parts),
        {
            "stage": stage,
            "of": list(parts),
            "seconds": round(time.perf_counter() - started, 3),
            "cpu_seconds": round(time.process_time() + children.ru_utime + children.ru_stime, 3),
            "peak_memory_mb": round(peak_mb(), 1),
            "threads": settings.compute.threads,
            "machine": platform.machine(),
            "python": platform.python_version(),
            "shellac": __version__,
        },
    )


def download(name: str, mirror: str = "") -> None:
    """Obtain one corpus, from ``mirror`` if one is named, and say what was dropped and why.

    Published weights are obtained by their names too.
    """
    if name in weights.published():
        _download_weights(name, mirror)
        return
    if name not in corpora.CORPORA:
        raise UsageError(
            f"no data set and no published weights are called {name!r}; data sets:"
            f" {', '.join(corpora.CORPORA)}; weights: {', '.join(weights.published())}"
        )
    with _recorded("download", name) as settings:
        if mirror:
            data = settings.data.model_copy(update={"mirror": mirror})
            settings = settings.model_copy(update={"data": data})
        corpus = corpora.obtain(settings, name)
        entry = corpora.CORPORA[name]
        used = sum(recording.used == "yes" for recording in corpus)
        print(f"{name}: {entry.summary}; licence: {entry.licence}; {used} of {len(corpus)} used")
        for licence, count in sorted(Counter(row.licence for row in corpus).items()):
            if licence:
                print(f"  {count} under {licence}")
        for recording in corpus:
            if recording.used == "no":
                print(f"  dropped {recording.file}: {recording.reason}")


def _download_weights(name: str, mirror: str) -> None:
    """Fetch weights into the cache, also where there is no compendium around."""
    try:
        settings = config.load()
    except ShellacError:
        settings = None
    data = settings.data if settings else None
    mirror = mirror or (data.mirror if data else "")
    from shellac.systems import fetching

    digest = fetching.fetch(name, mirror, data.checksums if data else {})
    entry = weights.published()[name]
    licence = weights.stated_licence(entry)
    print(f"{name}: {entry.network}, {entry.summary}; licence: {licence}; SHA-256 {digest}")
    if settings:
        from shellac.commands import pretrained

        pretrained.receipt(settings, name, digest)


def fragments(system: str) -> None:
    """Build one system's fragments."""
    with _recorded("fragments", system) as settings:
        _known(settings, system)
        registry.part(system, "fragments").build(settings)


def train(network: str) -> None:
    """Train one network, given as ``system/network``."""
    with _recorded("train", network) as settings:
        system, _, name = network.partition("/")
        _known(settings, system)
        if name not in settings.systems[system].networks:
            listed = ", ".join(f"{system}/{each}" for each in settings.systems[system].networks)
            raise UsageError(f"params.yaml trains no {network!r}; it lists: {listed}")
        registry.part(system, "training").train(settings, name)


def evaluate(system: str) -> None:
    """Score one system's networks beside the baselines; ``pretrained``: tell of all its chains."""
    with _recorded("evaluate", system) as settings:
        if system == PRETRAINED:
            from shellac.commands import pretrained

            pretrained.report(settings)
            return
        _known(settings, system)
        registry.part(system, "evaluation").evaluate(settings)


def stimuli(system: str) -> None:
    """Cut one system's excerpts for listening, and restore the historical recordings.

    ``pretrained/CHAIN`` restores them by a chain of the authors' weights; ``gallery`` shows all
    systems on the same seconds.
    """
    if system == GALLERY:
        from shellac.commands import gallery

        with _recorded("stimuli", system) as settings:
            gallery.build(settings)
        return
    if system.startswith(f"{PRETRAINED}/"):
        from shellac.commands import pretrained

        with _recorded("stimuli", system) as settings:
            pretrained.restore(settings, system.removeprefix(f"{PRETRAINED}/"))
        return
    from shellac.listening import stimuli as listening

    with _recorded("stimuli", system) as settings:
        _known(settings, system)
        listening.build(settings, system)
        _restore_historical(settings, system)


def _restore_historical(settings: Settings, system: str) -> None:
    """Restore every recording of the role ``historical`` with the network of the system.

    Of a system whose settings have ``stimuli.historical_seconds``, as many from the middle of each,
    and of ``historical_recordings`` at most; ``excerpts.json`` says which.
    """
    from shellac.commands.inputs import Job
    from shellac.commands.restore import Options, Session
    from shellac.listening import historical
    from shellac.training import determinism

    task, network = settings.systems[system], registry.trained_network(settings, system)
    discs = list(corpora.recordings(settings, ["historical"], ""))
    called = paths.names((disc.origin, disc.file) for disc in discs)
    with atomic_folder(paths.results(settings.profile, "restored", system)) as folder:
        if discs:
            determinism.pin(settings.compute)
            device = settings.compute.device
            session = Session(Options((network,), weights=("trained",), device=device))
        seconds = getattr(task.stimuli, "historical_seconds", None)
        if seconds is None:
            for disc in discs:
                with naming(disc.path):
                    session.run(Job(disc.path, folder / called[disc.file].parent))
            return
        told = []
        for disc in historical.spread(discs, task.stimuli.historical_recordings):
            with naming(disc.path), tempfile.TemporaryDirectory() as place:
                path, facts = historical.middle(disc, seconds, Path(place))
                session.run(Job(path, folder / called[disc.file].parent))
            told.append(facts)
        historical.write_list(folder, told, len(discs))


def listening_test(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Build the listening test; return what was built, for programs and in lines."""
    from shellac.commands import listening_test as command

    with _recorded("listening-test"):
        return command.build(options)


def notebook(name: str) -> None:
    """Execute one notebook on the current profile."""
    from shellac.report import notebooks

    with _recorded("notebook", name) as settings:
        notebooks.run(name, settings.profile)


def manuscript(stamp: bool = False, latex: Path | None = None) -> None:
    """Typeset the manuscript: plain and reproducible, or stamped with commit and date.

    With ``latex``, a folder, write its tables and numbers for LaTeX there instead.
    """
    from shellac.report import manuscript as typesetting

    settings = config.load()
    if latex is not None:
        from shellac.report.latex import export

        print(f"{len(export(settings.profile, latex))} files in {latex}")
        return
    reported = bool(settings.pretrained.reports)
    source = f"{PRETRAINED}.typ" if reported else typesetting.SOURCE
    if stamp:
        output = paths.manuscript() / "output" / "manuscript.pdf"
        typesetting.build(settings.profile, output, typesetting.stamp(), source)
        print(output.relative_to(paths.root()))
        return
    place = (PRETRAINED,) if reported else ()
    with _recorded("manuscript"):
        if not reported:
            from shellac.commands import inventory

            inventory.write(settings)
        output = paths.results(settings.profile, *place, "manuscript.pdf")
        typesetting.build(settings.profile, output, source=source)


def _known(settings: Settings, system: str) -> None:
    if system not in settings.systems:
        listed = ", ".join(settings.systems)
        raise UsageError(f"params.yaml describes no system {system!r}; it has: {listed}")
