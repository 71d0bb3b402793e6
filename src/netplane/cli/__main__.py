"""`python -m netplane.cli`: the command line without an installed script."""

from netplane.cli import main

if __name__ == "__main__":
    main(prog_name="netplane")
