"""Which host needs which records: the world in memory, cut into slices. Pure.

A host needs the domains that it carries machines of, and nothing else: `specification` says so in full, slowly;
`interest` keeps every host's slice current, change by change.
"""

from netplane.interest.interest import Interest
from netplane.interest.loading import NAMED, NAMING, SLICED
from netplane.interest.sections import Section
from netplane.interest.specification import slice_of
from netplane.interest.world import Key

__all__ = ["NAMED", "NAMING", "SLICED", "Interest", "Key", "Section", "slice_of"]
