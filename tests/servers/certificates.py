"""A certificate authority for one test: what it signs is trusted by nobody else."""

import datetime as dt
import ipaddress
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = dt.timedelta(days=1)
_PROXY_CERT_INFO = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.14")
_INHERIT_ALL = bytes.fromhex("300c300a06082b06010505071501")  # SEQUENCE { SEQUENCE { id-ppl-inheritAll } }


class Authority:
    """Signs certificates for servers, and makes clients that trust it."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("helpdesk test authority")
        basic = x509.BasicConstraints(ca=True, path_length=0)
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = _builder(self._name, self._name, self._key.public_key())
        builder = builder.add_extension(basic, critical=True).add_extension(usage, critical=True)
        self.certificate = builder.sign(self._key, hashes.SHA256())

    @property
    def pem(self) -> str:
        """The authority's certificate, as a `ca_file` holds it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def server(self, name: str = "localhost") -> ssl.SSLContext:
        """Make the context of a server that is called `name` and listens on 127.0.0.1."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "server.pem")
            file.write_bytes(self.signed(name))
            context.load_cert_chain(file)
        return context

    def signed(self, name: str) -> bytes:
        """Make a key and the certificate of the server that is called `name`, as one PEM file holds both."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        if name == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        builder = _builder(_name(name), self._name, key.public_key())
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return secret + certificate.public_bytes(serialization.Encoding.PEM)

    def client(self) -> ssl.SSLContext:
        """Make the context of a client that trusts this authority and nobody else."""
        return ssl.create_default_context(cadata=self.pem)


def proxy(credential: bytes) -> bytes:
    """Make a proxy (RFC 3820) of a key and its certificate: one file with its certificate, its key, and the certificate that signed it."""
    signer = serialization.load_pem_private_key(credential, None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    holder = x509.load_pem_x509_certificate(credential)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([*holder.subject, x509.NameAttribute(NameOID.COMMON_NAME, "20261129")])
    builder = _builder(subject, holder.subject, key.public_key())
    builder = builder.add_extension(x509.UnrecognizedExtension(_PROXY_CERT_INFO, _INHERIT_ALL), critical=True)
    certificate = builder.sign(signer, hashes.SHA256())
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return b"".join(
        (
            certificate.public_bytes(serialization.Encoding.PEM),
            secret,
            holder.public_bytes(serialization.Encoding.PEM),
        )
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )
