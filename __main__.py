"""The process of a command: `xadbench`, or `python -m xadbench`."""

from xadbench.evaluation import cli
from xadbench.interrupts import watch


def main() -> None:
    """Run the command line; Ctrl-C ends it within 5 s."""
    watch()
    cli.main()


if __name__ == "__main__":
    main()
