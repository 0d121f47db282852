"""Who may use a service that others can reach: a bearer token, or a user with a password of which the hash is kept."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from corpus.errors import SettingsError

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_FAILURES = 10  # wrong credentials from one address within a minute: a person mistypes less often
_FAILURE_WINDOW_S = 60
_CLIENTS_WATCHED = 10_000  # addresses whose failures are remembered; the oldest are forgotten first
_ACCEPTED_KEPT = 1_000  # headers that need no second check; more than that many people do not share one password
_SUBSCRIBER = 64  # bits of an IPv6 address that are one subscriber's; the others he may choose anew each time


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is demanded of everybody; nothing when all are None.

    Args:
        token: Accepted as a bearer token, and as the password of any user where a browser asks for one.
        user: With `password_hash`: the one user's name.
        password_hash: Argon2 hash of that user's password, made by `byline password`.
    """

    token: str | None = field(default=None, repr=False)
    user: str | None = None
    password_hash: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.user is None) != (self.password_hash is None):
            raise SettingsError("Set BYLINE_USER and BYLINE_PASSWORD_HASH together, or neither of them.")
        if self.password_hash is not None:
            _check_hash(self.password_hash)

    def __bool__(self) -> bool:
        return self.token is not None or self.user is not None


def check_exposure(host: str, credentials: Credentials) -> None:
    """Refuse to listen where others can reach this machine without asking them who they are.

    Raises:
        SettingsError: If `host` is not loopback and nothing is demanded.
    """
    if host not in LOOPBACK and not credentials:
        raise SettingsError(
            f"On {host!r} others can reach this library, so they must sign in. Set BYLINE_TOKEN to a long random word, "
            "or BYLINE_USER and BYLINE_PASSWORD_HASH (made by: byline password)."
        )


def hash_password(password: str) -> str:
    """Return what to set as BYLINE_PASSWORD_HASH."""
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password)


class Access:
    """Compares what requests bring with what is demanded, and slows down who guesses.

    Args:
        credentials: What is demanded.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._wanted = credentials
        self._key = secrets.token_bytes(32)
        self._accepted: set[bytes] = set()  # an Argon2 check takes 50 ms, and a page makes a hundred requests
        self._failures: dict[str, deque[float]] = {}
        # A check takes 64 MB, too; and of guesses that come side by side not all may be let through before one failed.
        self._one_at_a_time = threading.Lock()

    @property
    def demanded(self) -> bool:
        """Whether anybody is asked at all."""
        return bool(self._wanted)

    def is_guessing(self, client: str) -> bool:
        """Say whether this address brought so many wrong credentials lately that it must wait a minute."""
        since = time.monotonic() - _FAILURE_WINDOW_S
        failures = tuple(self._failures.get(network_of(client), ()))  # another thread may be adding one
        return sum(at >= since for at in failures) >= _FAILURES

    def allows(self, authorization: str, client: str) -> bool:
        """Say whether an Authorization header is good; may take as long as an Argon2 check.

        Args:
            authorization: The header's value, empty when there is none (which is not counted as a guess).
            client: The address it came from.
        """
        digest = hmac.digest(self._key, authorization.encode(), hashlib.sha256)
        if digest in self._accepted:
            return True
        if not authorization:
            return False
        with self._one_at_a_time:
            if self.is_guessing(client):
                return False
            if self._is_right(authorization):
                if len(self._accepted) >= _ACCEPTED_KEPT:  # with the token any user's name is good: each is another one
                    self._accepted.clear()
                self._accepted.add(digest)
                return True
            if len(self._failures) >= _CLIENTS_WATCHED:
                del self._failures[next(iter(self._failures))]
            self._failures.setdefault(network_of(client), deque(maxlen=_FAILURES)).append(time.monotonic())
            return False

    def _is_right(self, authorization: str) -> bool:
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return self._is_token(rest.strip())
        if scheme.lower() != "basic":
            return False
        try:
            user, _, password = base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return self._is_token(password) or self._is_user(user, password)

    def _is_token(self, given: str) -> bool:
        return self._wanted.token is not None and same_secret(given, self._wanted.token)

    def _is_user(self, user: str, password: str) -> bool:
        if self._wanted.user is None or self._wanted.password_hash is None:
            return False
        from argon2 import PasswordHasher
        from argon2.exceptions import VerificationError

        try:
            right = PasswordHasher().verify(self._wanted.password_hash, password)
        except VerificationError:
            return False
        return right and same_secret(user, self._wanted.user)


def network_of(client: str) -> str:
    """Return whom an address counts as: itself, or of IPv6 the network of which one subscriber has every address.

    A name that is no address stays as it is.
    """
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv4Address):
        return client
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.IPv6Network((int(address), _SUBSCRIBER), strict=False))


def same_secret(given: str, wanted: str) -> bool:
    """Compare without telling by the time it takes how much was right."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode("utf-8", "surrogatepass"))


def _check_hash(password_hash: str) -> None:
    from argon2 import extract_parameters
    from argon2.exceptions import InvalidHashError

    try:
        extract_parameters(password_hash)
    except InvalidHashError as error:
        raise SettingsError(
            "BYLINE_PASSWORD_HASH is no Argon2 hash. Make one with: byline password. "
            "Put it in single quotes, for a shell or compose file takes its $ for variables."
        ) from error
