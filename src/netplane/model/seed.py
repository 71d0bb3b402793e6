"""Seeds: what was set up once, so that it is not set up again when somebody has taken it away."""

from netplane.model.record import Record


class Seed(Record, frozen=True, kw_only=True, gc=False, tag="seed"):
    """Something that was set up; its id is the name of the kind. Hosts never hear of it."""
