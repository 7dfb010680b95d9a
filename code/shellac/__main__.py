"""The command ``shellac`` as a program: as it is installed, and as ``python -m shellac``."""

from shellac.allocation import start_tuned


def program() -> int:
    """Run the command line in a process of its own; return the exit status."""
    start_tuned()
    from shellac.cli import main  # here: imported once, by the process that goes on

    return main()


if __name__ == "__main__":
    raise SystemExit(program())
