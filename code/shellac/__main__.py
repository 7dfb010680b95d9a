"""``python -m shellac`` is the command ``shellac``."""

from shellac.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
