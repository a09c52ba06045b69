"""Whether a mail is proven to come from the address it shows.

Only the topmost Authentication-Results counts, and only when our own provider wrote it: whatever stands below may have
come with the mail. dmarc=pass for the domain of From, or dkim=pass of that domain (RFC 8601, RFC 7489).
"""

import authres
from authres.core import AuthenticationResultsHeader, AuthResError

from adapters.email.letter import Letter

HEADER = "Authentication-Results"


def is_proven(letter: Letter, trusted_authserv: str) -> bool:
    """True only when the provider named ``trusted_authserv`` vouches for the From address; empty: never.

    A mail that names several authors has no sender: the provider may have vouched for another than is shown.
    """
    domain = letter.sender.rpartition("@")[2]
    if not trusted_authserv or not domain:
        return False
    results = _topmost(letter)
    if results is None or (results.authserv_id or "").casefold() != trusted_authserv.casefold():
        return False
    return any(_vouches(result, domain) for result in results.results or ())


def _topmost(letter: Letter) -> AuthenticationResultsHeader | None:
    values = letter.message.get_all(HEADER, [])
    if not values:
        return None
    try:
        return authres.AuthenticationResultsHeader.parse(f"{HEADER}: {_tidy(str(values[0]))}")
    except (AuthResError, ValueError):
        return None


def _tidy(value: str) -> str:
    """One line, without the semicolon at the end that some providers write."""
    return " ".join(value.split()).rstrip("; ")


def _vouches(result: object, domain: str) -> bool:
    if str(getattr(result, "result", "") or "").casefold() != "pass":
        return False
    method = str(getattr(result, "method", "") or "").casefold()
    if method == "dmarc":
        return (_property(result, "header", "from") or domain) == domain
    if method == "dkim":
        signer = _property(result, "header", "d") or _property(result, "header", "i").rpartition("@")[2]
        return bool(signer) and "." in signer and (domain == signer or domain.endswith(f".{signer}"))
    return False


def _property(result: object, kind: str, name: str) -> str:
    """``header.from`` and the like; a domain, or the domain of an address."""
    for one in getattr(result, "properties", None) or ():
        if (one.type, one.name) == (kind, name):
            value = str(one.value).strip().casefold()
            return value if name == "i" else value.rpartition("@")[2]
    return ""
