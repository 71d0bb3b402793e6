"""What a machine may read about itself at 169.254.169.254, beyond what its ports say."""

from msgspec import Struct

USER_DATA_LIMIT = 65_535
"""Characters of base64, as OpenStack Compute has it."""


class Metadata(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What users hand to their machine. It is told to the machine and the host that carries it, and to nobody else."""

    user_data: str = ""
    """Base64; what cloud-init runs, as it was handed over."""
    public_keys: dict[str, str] = {}
    """SSH keys by name."""
    meta: dict[str, str] = {}
    """Anything, by name."""


NOTHING_TOLD = Metadata()
