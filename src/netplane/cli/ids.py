"""Ids as people type them. Pure."""

from uuid import UUID


def is_id(text: str) -> bool:
    """Whether it is an id as the API writes it, and no name."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
