"""Running a notebook as a stage: from a clean kernel, in order, with named parameters."""

import ast
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from shellac import paths
from shellac.errors import DataError, UsageError
from shellac.files import atomic_path

_KERNEL = "python3"
Scalar = str | int | float | bool


def names() -> list[str]:
    """Names of the notebooks that can be run, in their order."""
    return sorted(path.stem for path in paths.notebooks().glob("*.ipynb"))


def parameters(name: str) -> dict[str, Scalar]:
    """Return the parameters of a notebook with their defaults.

    Raises :class:`UsageError` if there is no such notebook, and :class:`DataError` if its
    parameters cell is missing or holds anything but plain literals: papermill inserts values
    *after* that cell, so whatever were derived in it would keep its old value.
    """
    cells = [c for c in _read(name).cells if "parameters" in c.metadata.get("tags", [])]
    if len(cells) != 1:
        raise DataError(f"notebook {name}: needs exactly one cell tagged parameters")
    return literals(cells[0].source, f"notebook {name}")


def literals(source: str, where: str) -> dict[str, Scalar]:
    """Return the ``name = literal`` assignments that ``source`` consists of."""
    found: dict[str, Scalar] = {}
    for statement in ast.parse(source).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]):
                with contextlib.suppress(ValueError):
                    found[name] = ast.literal_eval(statement.value)
                    continue
        raise DataError(f"{where}: the parameters cell may hold only names and plain literals")
    return found


def run(name: str, profile: str, values: Mapping[str, Scalar] | None = None) -> Path:
    """Execute a notebook under a profile and keep the executed copy.

    The kernel is this interpreter with this package, started in the repository root. The copy
    goes to ``results/<profile>/notebooks/<name>.ipynb``; where a cell fails, the copy up to
    there is kept as ``<name>.failed.ipynb`` instead.

    Raises
    ------
    UsageError
        For an unknown notebook, parameter name or parameter type.
    DataError
        If a cell fails; the message says which and why.
    """
    given = {"profile": profile, **(values or {})}
    known = parameters(name)
    if unknown := sorted(set(given) - set(known)):
        raise UsageError(
            f"notebook {name}: unknown parameter {', '.join(unknown)} (known: {', '.join(known)})"
        )
    if unsafe := sorted(key for key, value in given.items() if not isinstance(value, Scalar)):
        raise UsageError(f"notebook {name}: parameter {', '.join(unsafe)} must be a plain value")
    output = paths.results(profile, "notebooks", f"{name}.ipynb")
    failed = output.with_name(f"{name}.failed.ipynb")
    with atomic_path(output) as temporary, _this_interpreter():
        try:
            _execute(name, temporary, given)
        except PapermillExecutionError as error:
            temporary.replace(failed)
            raise _told(name, error, failed) from error
    failed.unlink(missing_ok=True)
    return output


def _execute(name: str, output: Path, given: Mapping[str, Scalar]) -> None:
    executed = papermill.execute_notebook(
        _path(name),
        output,
        parameters=dict(given),
        kernel_name=_KERNEL,
        language="python",
        cwd=paths.root(),
        progress_bar=sys.stderr.isatty(),
    )
    source = _path(name).relative_to(paths.root()).as_posix()
    executed.metadata.papermill.update(input_path=source, output_path="")  # no machine's paths
    nbformat.write(executed, output)


def _told(name: str, error: PapermillExecutionError, kept: Path) -> DataError:
    reason = " ".join(f"{error.ename}: {error.evalue}".split())
    return DataError(f"notebook {name}: cell {error.cell_index} failed ({reason}); see {kept}")


def _path(name: str) -> Path:
    path = paths.notebooks() / f"{name}.ipynb"
    if name not in names():
        raise UsageError(f"no notebook {name!r}; there are: {', '.join(names()) or 'none'}")
    return path


def _read(name: str) -> nbformat.NotebookNode:
    try:
        return nbformat.read(_path(name), as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise DataError(f"notebook {name}: not a readable notebook ({error})") from error


@contextlib.contextmanager
def _this_interpreter() -> Iterator[None]:
    """Offer a kernel named python3 that is this interpreter with this package.

    Jupyter searches ``JUPYTER_PATH`` first, so that a kernel of that name which a user has
    installed for another environment cannot step in.
    """
    package_home = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    search = os.pathsep.join(filter(None, [package_home, inherited]))
    launch = (sys.executable, "-m", "ipykernel_launcher")
    spec = {
        "argv": [*launch, "--log-level=ERROR", "-f", "{connection_file}"],
        "display_name": "Python 3",
        "language": "python",
        "env": {"PYTHONPATH": search},
    }
    before = os.environ.get("JUPYTER_PATH")
    with tempfile.TemporaryDirectory() as home:
        place = Path(home, "kernels", _KERNEL)
        place.mkdir(parents=True)
        (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [home, before]))
        try:
            yield
        finally:
            if before is None:
                del os.environ["JUPYTER_PATH"]
            else:
                os.environ["JUPYTER_PATH"] = before
