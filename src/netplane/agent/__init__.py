"""The host's agent: finds machines' devices, keeps the datapath as the slice says, and answers punted packets.

`process` runs it, and loads all of it; whoever needs a part of it, such as `netlink`, loads no more than that.
"""
