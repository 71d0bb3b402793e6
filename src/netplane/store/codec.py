"""Records as bytes and back."""

from collections.abc import Iterable
from typing import Any, cast

from msgspec import ValidationError
from msgspec.msgpack import Decoder, Encoder

from netplane.model import AnyStored, Record
from netplane.store.errors import Malformed

_encoder = Encoder()
_decoder: Decoder[Any] = Decoder(AnyStored)

encode = _encoder.encode


def encode_readable(record: Record) -> bytes:
    """A record as bytes; Malformed if nobody could read them again, since a field is not as it is declared.

    A body that cannot be read stops whoever lists its kind and whoever follows the log, so it must never be written.
    """
    try:
        body = encode(record)
        _decoder.decode(body)
    except (ValidationError, OverflowError, RecursionError) as error:
        raise Malformed(record.id, str(error)) from error
    return body


def decode_all(bodies: Iterable[bytes]) -> list[Record]:
    """The record in each of many bodies; as `decode`."""
    return list(map(_decoder.decode, bodies))


def decode(body: bytes) -> Record:
    """The record in a body; msgspec.ValidationError if it is none."""
    return cast(Record, _decoder.decode(body))
