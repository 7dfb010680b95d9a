"""What holds for every file of the house, whoever writes it."""

import ast
import json
import os
import re
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import shellac
from shellac.report import notebooks

ROOT = Path(__file__).resolve().parents[2]
CODE = ROOT / "code"
MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 450
OUTSIDE_THE_LOCK = {"tensorflow"}  # half a gigabyte, to convert a checkpoint once
_ELLIPSIS = ast.dump(ast.parse("...").body[0])
# built, downloaded, installed or a user's own
_SKIPPED = re.compile(
    r"^(\.git|\.venv.*|\.scratch|\.dvc/(tmp|cache)|data/(raw|fragments|own|responses/.+)|results/.+|"
    r"manuscript/output|dvc_plots|params\.yaml|.*(__pycache__|\.egg-info|_cache|_checkpoints|\.hypothesis))$"
)
_TEXT = {
    "", ".py", ".md", ".typ", ".bib", ".csv", ".yaml", ".yml", ".toml", ".txt", ".in", ".cff",
    ".ipynb", ".json", ".cfg",
}  # fmt: skip


def _files():
    for folder, names, files in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        names[:] = [n for n in names if not _SKIPPED.match((here / n).as_posix())]
        for name in files:
            if not _SKIPPED.match((here / name).as_posix()) and Path(name).suffix in _TEXT:
                yield here / name


def _python():
    return [ROOT / path for path in _files() if path.suffix == ".py"]


def _read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def _lines_matching(pattern):
    return [
        f"{path}:{number}: {line.strip()[:80]}"
        for path in _files()
        for number, line in enumerate(_read(path).splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_path_of_one_machine():
    places = "|".join(("home", "Users", "root", "work", "tmp"))
    absolute = re.compile(rf"""(?<![\w.:/$~}})>*-])/({places})/[\w.]|[A-Z]:\\+{"Users"}""")
    assert _lines_matching(absolute) == []


def test_no_unfinished_work():
    words = ("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK", "T" + "BD", "lorem" + " ipsum")
    assert _lines_matching(re.compile(rf"\b({'|'.join(words)})\b")) == []


def test_no_stub():
    stubs = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in _python()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and _is_stub(node)
    ]
    assert stubs == []


def _is_stub(node):
    """Whether a function only refuses to work, or does nothing and does not even say so."""
    body = _body(node)
    raised = [s.exc for s in body if isinstance(s, ast.Raise) and s.exc is not None]
    if any("NotImplemented" in ast.dump(exc) for exc in raised):
        return True
    nothing = [isinstance(s, ast.Pass) or ast.dump(s) == _ELLIPSIS for s in body]
    return bool(nothing) and all(nothing)


def _body(node):
    """Statements of a function without its docstring."""
    return node.body[1:] if ast.get_docstring(node) is not None else node.body


def _functions(tree):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def test_functions_and_files_stay_short():
    long = []
    for path in _python():
        text = path.read_text("utf-8")
        if text.count("\n") > MAX_FILE_LINES:
            long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        for node in _functions(ast.parse(text)):
            body = _body(node)
            length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            if length > MAX_FUNCTION_LINES:
                long.append(f"{path.relative_to(ROOT)}: {node.name} has {length} lines")
    assert long == []


def test_everything_public_is_documented():
    bare = []
    for path in (CODE / "shellac").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        bare += [str(path.relative_to(ROOT))] if ast.get_docstring(tree) is None else []
        bare += [f"{path.relative_to(ROOT)}: {name}" for name in _undocumented(tree)]
    assert bare == []


def _undocumented(node):
    """Public functions, classes and methods below ``node`` that say nothing."""
    for child in node.body:
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if child.name.startswith("_"):
            continue
        if ast.get_docstring(child) is None:
            yield child.name
        if isinstance(child, ast.ClassDef):
            yield from (f"{child.name}.{name}" for name in _undocumented(child))


def test_code_is_no_package():
    assert not (CODE / "__init__.py").exists()  # it would hide the standard library's `code`


@pytest.mark.parametrize("folder", ["code", "data", "manuscript", "notebooks", "results"])
def test_every_top_folder_has_an_index(folder):
    assert len((ROOT / folder / "README.md").read_text("utf-8")) > 200


@pytest.mark.parametrize("path", [path for path in _files() if path.suffix == ".md"], ids=str)
def test_every_link_leads_to_what_a_clone_has(path):
    built = re.compile(r"results/(?!README|reference|campaigns)|data/raw|data/fragments")
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", _read(path)):
        if not re.match(r"\w+:", link):
            target = ((ROOT / path).parent / link).resolve()
            assert target.exists(), link
            assert not built.match(target.relative_to(ROOT).as_posix()), link


NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_clean(path):
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert book.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    tagged = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert tagged[0] is code[1]  # after the cell for Colab
    assert notebooks.literals(tagged[0].source, path.name)["profile"] == "demo"
    assert not any("class " in cell.source or "def " in cell.source for cell in code)
    assert path.name in (ROOT / "notebooks" / "README.md").read_text("utf-8")


def _typst():
    return sorted((ROOT / "manuscript").rglob("*.typ"))


def test_everything_the_manuscript_shows_is_saved_with_provenance():
    shown = {
        match
        for path in _typst()
        for match in re.findall(r'"/((?:figures|tables)/\w+/[\w.-]+)"', path.read_text("utf-8"))
    }
    saved = set()
    for path in NOTEBOOKS:
        cells = [cell.source for cell in nbformat.read(path, as_version=4).cells]
        place = r'(\w+)_folder = paths\.results\(profile, "(?:figures|tables)", "(\w+)"\)'
        folders = dict(re.findall(place, "\n".join(cells)))
        for source in cells:
            if re.search(r"provenance\.save_(figure|table)\(", source):
                for kind, name in re.findall(r'(figure|table)_folder / "([\w.-]+)"', source):
                    saved.add(f"{kind}s/{folders[kind]}/{name}")
    assert shown
    assert shown <= saved


def test_the_manuscript_needs_no_network_and_has_no_date():
    text = "\n".join(path.read_text("utf-8") for path in _typst())
    assert "@preview" not in text
    assert re.search(r"#set document\([^)]*date: none", text)


def test_every_reference_is_cited_and_every_citation_known():
    known = set(re.findall(r"^@\w+\{(\w+),", _read("manuscript/references.bib"), re.MULTILINE))
    text = "\n".join(path.read_text("utf-8") for path in _typst())
    cited = set(re.findall(r"@([a-z0-9]+)\b(?!-)", text)) - {"preview"}
    assert cited == known


def test_no_semicolon_of_the_text_is_swallowed():
    """Typst takes one right after a call for the end of the call: `\\;` is printed."""
    call = re.compile(r"#[a-z][\w.-]*\((?:[^()]|\([^()]*\))*\);")
    swallowed = [
        f"{path.name}: {match}"
        for path in (ROOT / "manuscript" / "sections").glob("*.typ")
        for match in call.findall(path.read_text("utf-8"))
    ]
    assert not swallowed


def _pins():
    """Requirements of the lock by name, each with its marker."""
    lines = (line.split("#")[0].strip() for line in _read("requirements.lock.txt").splitlines())
    return [Requirement(line) for line in lines if line]


def test_the_lock_pins_exact_versions_once():
    pins = _pins()
    assert all(re.fullmatch(r"==[\w.!+]+", str(pin.specifier)) for pin in pins)
    names = [canonicalize_name(pin.name) for pin in pins]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_satisfies_every_requirement(python):
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    pins = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in _pins()
        if pin.marker is None or pin.marker.evaluate(environment)
    }
    project = tomllib.loads(_read("code/pyproject.toml"))["project"]
    wanted = list(project["dependencies"])
    for name, extra in project["optional-dependencies"].items():
        wanted += extra if name not in OUTSIDE_THE_LOCK else []
    missing = []
    for text in wanted:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate(environment):
            continue
        version = pins.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version):
            missing.append(f"{text} (locked: {version})")
    assert missing == []


def test_the_lock_holds_no_malicious_upload():
    uploads = {"2.6.2", "2.6.3"}  # GHSA-w37p-236h-pfx3
    for pin in _pins():
        if canonicalize_name(pin.name) in {"lightning", "pytorch-lightning"}:
            assert str(pin.specifier).removeprefix("==") not in uploads


def test_the_abstract_list_is_this_package_with_all_extras_of_the_lock():
    lines = [line for line in _read("requirements.in").splitlines() if not line.startswith("#")]
    (line,) = filter(None, lines)
    extras = tomllib.loads(_read("code/pyproject.toml"))["project"]["optional-dependencies"]
    assert line == f"./code[{','.join(sorted(set(extras) - OUTSIDE_THE_LOCK))}]"


def test_conda_provides_python_and_the_lock_the_rest():
    environment = yaml.safe_load(_read("environment.yml"))
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    assert environment["dependencies"] == [
        "python=3.11",
        "pip",
        {"pip": ["-r requirements.lock.txt"]},
    ]


def test_one_version_everywhere():
    version = tomllib.loads(_read("code/pyproject.toml"))["project"]["version"]
    assert shellac.__version__ == version
    assert yaml.safe_load(_read("CITATION.cff"))["version"] == version
    assert f"## {version}" in _read("CHANGELOG.md")


def test_every_json_is_json():
    for path in _files():
        if path.suffix in {".json", ".ipynb"}:
            json.loads(_read(path))
