"""Secrets in web addresses: which parts of an address are one, and the address as it may be shown."""

import re
from urllib.parse import unquote_plus

HIDDEN = "***"
"""Stands in the place of a secret."""
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
_PARAMETER = re.compile(r"(?<=[?&;#])([^=&;#\s]+)=([^&;#\s]*)")
_DEEPEST = 3
"""So often a name is decoded: what is encoded twice is decoded by some servers."""


def without_secrets(url: str) -> str:
    """The address without user, password and the values of parameters whose names say that they are secret.

    What stands in a path cannot be told from other names, and stays.

    >>> without_secrets("https://ann:pw@example.org/a?page=2&pass%77ord=x&X-Amz-Signature=y")
    'https://***@example.org/a?page=2&pass%77ord=***&X-Amz-Signature=***'
    """
    return _PARAMETER.sub(_hidden, _USER.sub(f"{HIDDEN}@", url))


def secret_parameters(url: str) -> tuple[str, ...]:
    """The names of the secret parameters of an address, decoded and as plain letters and digits."""
    plain = (_plain(found[1]) for found in _PARAMETER.finditer(url))
    return tuple(name for name in plain if _is_secret(name))


def _hidden(parameter: re.Match[str]) -> str:
    name, value = parameter.groups()
    if not value:
        return parameter[0]
    inner = _decoded(value)
    carries_one = "://" in inner and without_secrets(inner) != inner
    return f"{name}={HIDDEN if carries_one or _is_secret(_plain(name)) else value}"


def _is_secret(name: str) -> bool:
    return name in _NAMES or name.endswith(_ENDINGS)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, _decoded(name).lower()))


def _decoded(text: str) -> str:
    for _ in range(_DEEPEST):
        text = unquote_plus(text)
    return text
