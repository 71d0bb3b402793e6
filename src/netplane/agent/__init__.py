"""The host's agent: finds machines' devices, keeps the datapath as the slice says, and answers punted packets."""

from netplane.agent.process import main, teardown

__all__ = ["main", "teardown"]
