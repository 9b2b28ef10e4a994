"""The process of a command: `xadbench`, or `python -m xadbench`."""

from xadbench.interrupts import end_early, watch


def main() -> None:
    """Run the command line; Ctrl-C ends it within 5 s, and at once while modules are imported."""
    end_early()
    from xadbench.evaluation.cli import app as cli  # noqa: PLC0415  # takes a second, in which an interrupt is heard too

    watch()
    cli.main()


if __name__ == "__main__":
    main()
