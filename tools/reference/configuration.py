"""Not yet."""


def page() -> str:
    """The page."""
    return ""
