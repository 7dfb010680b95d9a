"""dvc.yaml says the truth: what a stage's code imports is among what the stage depends on."""

import ast
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
PACKAGE = REPOSITORY / "code" / "shellac"
# thin shells and names of places: they pass things on and decide no result
SHELLS = {"__init__", "allocation", "cli", "pipeline", "paths", "errors", "systems.registry",
          "systems.base", "torchaudio_import"}  # fmt: skip
RESTORATIONS = [
    f"systems.{path.parent.name}.restoration"
    for path in (PACKAGE / "systems").glob("*/restoration.py")
]
ROOTS = {
    "quickstart-notebook": [
        "datasets.synthesis.piano",
        "degradations.recipes",
        "listening.loudness",
        "metrics",
        "reference_free",
        "commands.restore",
        "systems.classical.restoration",
        *(f"report.{path.stem}" for path in (PACKAGE / "report").glob("[a-z]*.py")),
    ],
    "gallery": ["commands.gallery", *RESTORATIONS],
    "download": ["datasets.corpora"],
    "superres-fragments": ["systems.superres.fragments"],
    "superres-train": ["systems.superres.training"],
    "superres-evaluate": ["systems.superres.evaluation"],
    "superres-stimuli": ["systems.superres.evaluation", "listening.stimuli", "commands.restore"],
    "superres-notebook": [f"report.{path.stem}" for path in (PACKAGE / "report").glob("[a-z]*.py")],
    "babe2-fragments": ["systems.babe2.fragments"],
    "babe2-train": ["systems.babe2.training"],
    "babe2-evaluate": ["systems.babe2.evaluation"],
    "babe2-stimuli": [
        "systems.babe2.evaluation",
        "listening.historical",
        "listening.stimuli",
        "commands.restore",
        "systems.babe2.restoration",
    ],
    "babe2-notebook": [f"report.{path.stem}" for path in (PACKAGE / "report").glob("[a-z]*.py")],
    "inpainting-fragments": ["systems.inpainting.fragments"],
    "inpainting-train": ["systems.inpainting.training"],
    "inpainting-evaluate": ["systems.inpainting.evaluation"],
    "inpainting-stimuli": [
        "systems.inpainting.evaluation",
        "listening.stimuli",
        "commands.restore",
        "systems.inpainting.restoration",
    ],
    "inpainting-notebook": [
        f"report.{path.stem}" for path in (PACKAGE / "report").glob("[a-z]*.py")
    ],
    "denoiser-fragments": ["systems.denoiser.fragments"],
    "denoiser-train": ["systems.denoiser.training"],
    "denoiser-evaluate": ["systems.denoiser.evaluation"],
    "denoiser-stimuli": [
        "systems.denoiser.evaluation",
        "listening.stimuli",
        "commands.restore",
        "systems.denoiser.restoration",
    ],
    "denoiser-notebook": [f"report.{path.stem}" for path in (PACKAGE / "report").glob("[a-z]*.py")],
    "behm_gan-fragments": ["systems.behm_gan.fragments"],
    "behm_gan-train": ["systems.behm_gan.training"],
    "behm_gan-evaluate": ["systems.behm_gan.evaluation"],
    "behm_gan-stimuli": [
        "systems.behm_gan.evaluation",
        "listening.stimuli",
        "commands.restore",
        "systems.behm_gan.restoration",
    ],
    "behm_gan-notebook": [f"report.{path.stem}" for path in (PACKAGE / "report").glob("[a-z]*.py")],
    "listening-test": ["commands.listening_test"],
    "listening-notebook": [
        "listening.analysis",
        "listening.design",
        "listening.figure",
        "listening.responses",
        *(f"report.{path.stem}" for path in (PACKAGE / "report").glob("[a-z]*.py")),
    ],
    "pretrained-weights": [],
    "pretrained-restore": ["commands.pretrained"],
    "pretrained-report": ["commands.pretrained"],
    "pretrained-manuscript": ["report.manuscript"],
    "manuscript": ["report.manuscript", "commands.inventory"],
}


def module_file(module):
    path = PACKAGE.joinpath(*module.split("."))
    alone = path.with_suffix(".py")  # beside it may lie a folder of its name that is no package
    return alone if alone.is_file() or not path.is_dir() else path / "__init__.py"


def imported(module):
    """Modules of this package that a module imports, at its top or inside functions."""
    for node in ast.walk(ast.parse(module_file(module).read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("shellac"):
            base = node.module.removeprefix("shellac").lstrip(".")
            for alias in node.names:
                name = f"{base}.{alias.name}".lstrip(".")
                yield name if module_file(name).is_file() else base


def closure(roots):
    found, queue = set(), list(roots)
    while queue:
        module = queue.pop()
        if module and module not in found and module not in SHELLS:
            found.add(module)
            queue += imported(module)
    return found


def stages():
    described = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
    return {name: stage.get("do", stage) for name, stage in described.items()}


def test_every_stage_is_examined():
    assert set(stages()) == set(ROOTS)


@pytest.mark.parametrize("stage", ROOTS)
def test_declared_code_covers_what_is_imported(stage):
    declared = [REPOSITORY / dep for dep in stages()[stage]["deps"] if dep.startswith("code/")]
    needed = {module_file(module) for module in closure(ROOTS[stage])}
    missing = {
        str(file.relative_to(REPOSITORY))
        for file in needed
        if not any(file == dep or dep in file.parents for dep in declared)
        and file.name != "__init__.py"
    }
    assert not missing


@pytest.mark.parametrize("stage", ROOTS)
def test_declared_code_exists(stage):
    for dep in stages()[stage]["deps"]:
        if not dep.startswith("${") and "/${" not in dep:
            assert (REPOSITORY / dep).exists(), dep
