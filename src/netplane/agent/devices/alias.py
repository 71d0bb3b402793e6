"""How whoever plugs a device into a port says so: by the device's alias (`ip link set DEVICE alias netplane:PORT`)."""

ALIAS = "netplane:"
"""What it begins with; the port's id follows."""
