"""`carnelian`, and `python -m carnelian`."""
import sys


def main() -> None:
    from carnelian.cli import app

    app(prog_name="carnelian")


if __name__ == "__main__":
    sys.exit(main())
