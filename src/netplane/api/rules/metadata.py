"""What users hand to their machines."""

import binascii
from base64 import b64decode

from netplane.api.errors import invalid
from netplane.model import Metadata
from netplane.model.metadata import USER_DATA_LIMIT

TEXT_LIMIT = 16_384
"""Characters of a key or of any other text."""

ENTRIES = 128
"""Keys, or texts, of one machine; as many as OpenStack Compute's default."""


def check_metadata(metadata: Metadata) -> None:
    """400 if user data is no base64, or something is too long."""
    if len(metadata.user_data) > USER_DATA_LIMIT:
        raise invalid(f"'user_data' of netplane:metadata is longer than {USER_DATA_LIMIT} characters")
    try:
        b64decode(metadata.user_data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"'user_data' of netplane:metadata is not base64: {error}") from error
    for name, texts in (("public_keys", metadata.public_keys), ("meta", metadata.meta)):
        if len(texts) > ENTRIES:
            raise invalid(f"'{name}' of netplane:metadata has more than {ENTRIES} entries")
        for key, text in texts.items():
            if not key or len(key) > 255 or len(text) > TEXT_LIMIT or not (key + text).isprintable():
                raise invalid(f"'{name}' of netplane:metadata: '{key[:64]}' is empty, too long or not of one line")
