"""Which hosts are out on the internet: told by an IP address in any of the ways one can be written.

Checking a text is no protection where we connect ourselves: there the address connected to is
checked (`adapters.http.pinned_network`).
"""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult

_NAT64 = IPv6Network("64:ff9b::/96")
# What is not in here is not assigned to hosts: mapped, translated and site-local addresses, those
# of IPv4 written as IPv6. https://www.iana.org/assignments/ipv6-address-space
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Held free for documentation (RFC 9637), which the library of Python 3.13 does not know yet.
_DOCUMENTATION = IPv6Network("3fff::/20")
_OLD_RELAYS = IPv4Address("192.88.99.0"), IPv4Address("192.88.99.255")  # 6to4, RFC 7526
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")
_MAX_NAME = 253  # characters, by DNS; labels have at most 63 and are not empty
# Names that lead to the machine or the network they are looked up in.
_LOCAL_NAMES = ("localhost", "local", "internal", "home.arpa", "lan")


def is_public(address: str) -> bool:
    """Whether an IP address is reachable on the public internet and means a single host.

    IPv6 addresses that carry an IPv4 address (mapped, 6to4, NAT64) are judged by that one. Raises
    ValueError when the text is no IP address.
    """
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        return ip.is_global and ip in _GLOBAL_UNICAST and ip not in _DOCUMENTATION
    first, last = _OLD_RELAYS
    return ip.is_global and not ip.is_multicast and not first <= ip <= last


def is_host(host: str) -> bool:
    """Whether a URL's host has the form of one: an IPv6 address, or labels that DNS can be asked for.

    Resolvers do not refuse a malformed name, they fail on it.
    """
    if ":" in host:
        try:
            return "%" not in host and bool(ip_address(host))
        except ValueError:
            return False
    name = host.removesuffix(".")
    return len(name) <= _MAX_NAME and all(_LABEL.fullmatch(label) for label in name.split("."))


def host_of(parts: SplitResult) -> str:
    """The host of a URL in lower case, empty where it has none or one that `is_host` refuses."""
    host = parts.hostname or ""
    bracketed = parts.netloc.rpartition("@")[2].startswith("[")
    # What stands in brackets is an address of IPv6, or of a version that is still to be invented.
    return host if is_host(host) and bracketed == (":" in host) else ""


def literal_address(host: str) -> str | None:
    """The IP address that a URL's host is, None for a name.

    Besides the usual form IPv4 has those of C's inet_aton, which most HTTP clients follow: one to
    four numbers, each decimal, octal or hexadecimal, the last one filling what is left. Raises
    ValueError for a text that ends in a number and is no address: no name may (WHATWG URL, 3.5).
    """
    host = host.removesuffix(".")
    if ":" in host:
        return str(ip_address(host))
    labels = host.split(".")
    if not _is_number(labels[-1]):
        return None
    if len(labels) > 4:
        raise ValueError("an IPv4 address has at most four parts")
    *heads, tail = (_number(label) for label in labels)
    if any(head > 255 for head in heads) or tail >= 256 ** (4 - len(heads)):
        raise ValueError("an IPv4 address has a part that is too large")
    value = tail + sum(head << (24 - 8 * place) for place, head in enumerate(heads))
    return str(IPv4Address(value))


def is_public_host(host: str) -> bool:
    """Whether a URL's host can be one on the internet: a public address, or a name that is not
    reserved for one's own network. Where the name leads only a look-up tells. Raises ValueError."""
    address = literal_address(host)
    if address is not None:
        return is_public(address)
    name = host.removesuffix(".").lower()
    return "." in name and not any(name.endswith("." + local) for local in _LOCAL_NAMES)


def _is_number(label: str) -> bool:
    return label.isdigit() or label.lower().startswith("0x")


def _number(label: str) -> int:
    """Raises ValueError in words of its own: Python's would quote the label."""
    try:
        if label.lower().startswith("0x"):
            return int(label[2:] or "0", 16)
        return int(label, 8 if label.startswith("0") and len(label) > 1 else 10)
    except ValueError:
        raise ValueError("an IPv4 address has a part that is no number") from None
