"""A controller's own certificate: made when it starts, and anew before it expires. Its key is in memory only."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import NamedTuple

from netplane.trust.authority import LIFE, Authority, certify_controller
from netplane.trust.certificates import certificate_pem, renewal
from netplane.trust.keys import key_pem, make_key


class Served(NamedTuple):
    """What a TLS server shows, as PEM."""

    key: bytes
    chain: bytes


def wall_clock() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


class OwnCertificate:
    """The certificate of one controller. Any thread may ask for it."""

    def __init__(
        self,
        authority: Authority,
        names: Sequence[str] = (),
        *,
        life: timedelta = LIFE,
        clock: Callable[[], datetime] = wall_clock,
    ) -> None:
        """`names` are the names and addresses that clients know the controller by."""
        self.authority = authority
        self._names = tuple(names)
        self._life = life
        self._clock = clock
        self._lock = Lock()
        self._served, self._renew_at = self._make()

    def served(self) -> Served:
        """What to show now; the same value until the certificate is renewed."""
        with self._lock:
            if self._clock() >= self._renew_at:
                self._served, self._renew_at = self._make()
            return self._served

    def _make(self) -> tuple[Served, datetime]:
        key, now = make_key(), self._clock()
        certificate = certify_controller(self.authority, key.public_key(), self._names, now, self._life)
        return Served(key_pem(key), certificate_pem(certificate) + self.authority.pem), renewal(certificate)
