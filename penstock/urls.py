"""Secrets in web addresses: which parts of an address are one, and the address as it may be shown."""

import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

HIDDEN = "***"
"""Replaces a secret."""
_NAMES = frozenset(
    (
        *("auth", "authorization", "bearer", "hmac", "key", "pass", "pin", "pw", "pwd", "sas", "session", "sid"),
        *("accesskeyid", "dbpass", "googleaccessid", "userpass"),
    )
)
_ENDINGS = (
    *("password", "passwd", "passphrase", "passcode", "passwort", "secret", "token", "jwt", "sessionid", "sessid"),
    *("signature", "sig", "credential", "credentials", "accesskey", "accountkey", "apikey", "authkey", "privatekey"),
    *("secretkey", "sharedkey", "signingkey", "subscriptionkey", "密码", "口令", "密钥", "令牌"),
)
_USER = re.compile(r"(?<=://)[^/?#\s@]*(?:@[^/?#\s@]*)*@")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_BETWEEN = re.compile(r"([?&;#\s])")
_DEEPEST = 3
"""How often a name is decoded: some servers decode twice."""


def scheme_of(address: str) -> str:
    """The scheme of an address, in lower case; empty where it has none, as a path.

    >>> scheme_of("Wiki://space/page"), scheme_of("./wiki://space")
    ('wiki', '')
    """
    found = _SCHEME.match(address)
    return found[0].removesuffix("://").lower() if found else ""


def without_secrets(url: str) -> str:
    """The address without user, password and the values of parameters whose names say that they are secret.

    A secret in a path cannot be distinguished from other names, and stays.

    >>> without_secrets("https://ann:pw@example.org/a?page=2&pass%77ord=x&X-Amz-Signature=y")
    'https://***@example.org/a?page=2&pass%77ord=***&X-Amz-Signature=***'
    """
    shown: list[str] = []
    hiding = False
    for mark, name, value in _pieces(_USER.sub(f"{HIDDEN}@", url)):
        if hiding and mark == "?":  # a part of the secret
            continue
        hiding = bool(mark.strip() and value) and (_is_secret(_plain(name)) or _carries_one(value))
        shown += mark, name, f"={HIDDEN}" if hiding and value != "=" else value
    return "".join(shown)


def secret_parameters(url: str) -> tuple[str, ...]:
    """The names of the secret parameters of an address, decoded and as plain letters and digits."""
    plain = (_plain(name) for mark, name, value in _pieces(url) if mark.strip() and value)
    return tuple(name for name in plain if _is_secret(name))


def _pieces(url: str) -> Iterator[tuple[str, str, str]]:
    """The parts of an address: the mark before each, its name, and from `=` on its value."""
    first, *rest = _BETWEEN.split(url)
    for mark, piece in [("", first), *zip(rest[::2], rest[1::2], strict=True)]:
        name, equals, value = piece.partition("=")
        yield mark, name, equals + value


def _carries_one(value: str) -> bool:
    """Whether the value is an encoded address with a secret."""
    inner = _decoded(value)
    return "://" in inner and bool(_USER.search(inner) or secret_parameters(inner))


def _is_secret(name: str) -> bool:
    return name in _NAMES or name.endswith(_ENDINGS)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, _decoded(name).lower()))


def _decoded(text: str) -> str:
    for _ in range(_DEEPEST):
        text = unquote_plus(text)
    return text
