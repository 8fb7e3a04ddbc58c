"""Authorities and certificates, made when a test needs them."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Authority:
    """A certificate authority; `path` is its certificate."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(path)

    def server_context(self, name: str) -> ssl.SSLContext:
        """Return the TLS context of a server with this name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(name).configure_cert(context)
        return context


def plain_server_context(path: Path, address: str) -> ssl.SSLContext:
    """Return the TLS context of a server at an IP address, of an authority with few extensions.

    The authority's certificate, written to `path`, does not state the use of its key, which RFC
    5280, section 4.2.1.3, demands. Those of many Kubernetes clusters do not either.
    """
    keys = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("plain", address)
    ]
    now = datetime.now(UTC)
    authority, server = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(names[0])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(extension, critical=False)
        .sign(keys[0], SHA256())
        for name, key, extension in (
            (names[0], keys[0], x509.BasicConstraints(ca=True, path_length=None)),
            (names[1], keys[1], x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])),
        )
    )
    path.write_bytes(authority.public_bytes(Encoding.PEM))
    private = keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = path.with_name("server.pem")
    chain.write_bytes(private + server.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context
