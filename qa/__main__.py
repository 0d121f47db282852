"""`python -m qa` and the console script `byline`."""

import sys

from qa.cli_typer import run


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
