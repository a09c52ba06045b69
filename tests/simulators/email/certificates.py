"""A certificate authority for tests: nobody else trusts it, and its servers are called localhost and 127.0.0.1."""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """``server`` is for servers, ``client`` trusts them, ``pem`` is the authority's own certificate."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    pem: bytes


@cache
def authority(host: str = "localhost") -> Authority:
    """An authority with one server certificate for ``host`` and 127.0.0.1 (for another host: for that alone)."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    usage = x509.BasicConstraints(ca=True, path_length=0)
    own = _builder(name, name, ca_key).add_extension(usage, critical=True)
    own = own.add_extension(_usage(), critical=True)
    ca = own.add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False).sign(
        ca_key, hashes.SHA256()
    )
    names: list[x509.GeneralName] = [x509.DNSName(host)]
    if host == "localhost":
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    built = _builder(subject, name, key).add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = built.add_extension(signer, critical=False).sign(ca_key, hashes.SHA256())
    pem = ca.public_bytes(serialization.Encoding.PEM)
    return Authority(_server_context(certificate, key), ssl.create_default_context(cadata=pem.decode()), pem)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
    )


def _usage() -> x509.KeyUsage:
    names = ["digital_signature", "key_cert_sign", "crl_sign"]
    off = ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement"]
    flags = {**dict.fromkeys(names, True), **dict.fromkeys(off, False), "encipher_only": False, "decipher_only": False}
    return x509.KeyUsage(**flags)


def _server_context(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(file)
    return context
