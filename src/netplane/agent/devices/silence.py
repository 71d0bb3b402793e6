"""Devices that the host itself has nothing to say on: what passes there is between machines and the datapath."""


def silence_ipv6(name: str) -> None:
    """Keep the kernel's own IPv6 off a device; nothing to do where the kernel has none."""
    try:
        with open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w") as setting:
            setting.write("1")
    except FileNotFoundError:
        return
