"""netplane: an open network hypervisor."""

__version__ = "0.1.0"
