"""`python -m netplane.cni`: the plugin without an installed script."""

from netplane.cni.plugin import main

if __name__ == "__main__":
    main()
