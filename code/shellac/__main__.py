"""The command ``shellac`` as a program: as it is installed, and as ``python -m shellac``."""

from shellac.allocation import merge_freed_memory


def program() -> int:
    """Run the command line in a process of its own; return the exit status."""
    merge_freed_memory()
    from shellac.cli import main  # here: imported once, by the process that goes on

    return main()


if __name__ == "__main__":
    raise SystemExit(program())
