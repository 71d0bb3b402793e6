"""Containers: the plugin `netplane-cni`, as the Container Network Interface (specification 1.1) calls it.

    container runtime ── environment, network configuration on stdin ──▶ plugin ──▶ commands
            ▲                                                                        │    │
            ╰────────────── a result or an error on stdout, as JSON ◀────────────────╯    │
                                                                                          │
          controller ◀── ports (HTTP, by `client`) ───────────────────────────────────────┤
          kernel     ◀── a veth pair, addresses, routes (`wire`) ─────────────────────────╯

A container's interface is a port. The plugin makes it, makes the pair of devices, gives the container's end
what the port says, and writes the port's id on the host's end, where the agent finds it. From there on everything is as
for any machine. It keeps no state: whose port it is stands in the port.

A plugin is started anew for each call, while a container waits. So this package loads little, and late.
"""
