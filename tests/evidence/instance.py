"""A Sigstore instance of our own: a certificate authority, a certificate log and a transparency log, in memory.

It does what Fulcio and Rekor do (https://github.com/sigstore/protobuf-specs, RFC 6962), with keys made here, so
that real bundles exist without a network. `trusted_root` is what a verifier has to know of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ORIGIN = "log.test.example"
SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def der_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def utf8(text: str) -> bytes:
    """A UTF8String in DER, of less than 128 bytes."""
    return b"\x0c" + bytes([len(text)]) + text.encode()


@dataclass
class Instance:
    """Signs things as a workflow of `identity` would."""

    identity: str = "https://github.com/acme/clock/.github/workflows/release.yml@refs/heads/main"
    issuer: str = "https://token.actions.githubusercontent.com"
    commit: str = ""
    """What the certificate says was being built."""
    authority: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    certificate_log: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    transparency_log: ec.EllipticCurvePrivateKey = field(default_factory=new_key)

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.root = (
            x509.CertificateBuilder()
            .subject_name(name).issuer_name(name).public_key(self.authority.public_key()).serial_number(1)
            .not_valid_before(NOW - timedelta(days=30)).not_valid_after(NOW + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage(sign=False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.authority.public_key()), critical=False)
            .sign(self.authority, hashes.SHA256())
        )  # fmt: skip

    @property
    def trusted_root(self) -> dict[str, Any]:
        """In the shape of `trusted_root.json`."""
        since = {"start": (NOW - timedelta(days=30)).isoformat().replace("+00:00", "Z")}

        def log(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
            known = {"rawBytes": b64(der_of(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since}
            number = b64(hashlib.sha256(der_of(key)).digest())
            return {
                "baseUrl": f"https://{ORIGIN}",
                "hashAlgorithm": "SHA2_256",
                "publicKey": known,
                "logId": {"keyId": number},
            }

        chain = [{"rawBytes": b64(self.root.public_bytes(serialization.Encoding.DER))}]
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(self.transparency_log)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "test", "commonName": "test"},
                    "uri": "https://ca.test.example",
                    "certChain": {"certificates": chain},
                    "validFor": since,
                }
            ],
            "ctlogs": [log(self.certificate_log)],
        }

    def statement(self, statement: dict[str, Any]) -> dict[str, Any]:
        """A bundle with a signed in-toto statement."""
        key = new_key()
        certificate = self.certified(key)
        payload, kind = json.dumps(statement).encode(), "application/vnd.in-toto+json"
        text = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
        signature = key.sign(text, ec.ECDSA(hashes.SHA256()))
        envelope = {"payload": b64(payload), "payloadType": kind, "signatures": [{"sig": b64(signature)}]}
        pem = b64(certificate.public_bytes(serialization.Encoding.PEM))
        digest = {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}
        spec = {
            "envelopeHash": {
                "algorithm": "sha256",
                "value": hashlib.sha256(json.dumps(envelope).encode()).hexdigest(),
            },
            "payloadHash": digest,
            "signatures": [{"signature": b64(signature), "verifier": pem}],
        }
        entry = {"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}
        return self._bundle(certificate, entry) | {"dsseEnvelope": envelope}

    def blob(self, content: bytes) -> dict[str, Any]:
        """A bundle with the signature of a file."""
        key = new_key()
        certificate = self.certified(key)
        signature = key.sign(content, ec.ECDSA(hashes.SHA256()))
        pem = b64(certificate.public_bytes(serialization.Encoding.PEM))
        spec = {
            "signature": {"content": b64(signature), "publicKey": {"content": pem}},
            "data": {"hash": {"algorithm": "sha256", "value": hashlib.sha256(content).hexdigest()}},
        }
        entry = {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}
        digest = {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(content).digest())}
        return self._bundle(certificate, entry) | {
            "messageSignature": {"messageDigest": digest, "signature": b64(signature)}
        }

    def certified(self, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        """A certificate for ten minutes, with a promise of the certificate log in it."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([])).issuer_name(self.root.subject).public_key(key.public_key()).serial_number(7)
            .not_valid_before(NOW - timedelta(minutes=1)).not_valid_after(NOW + timedelta(minutes=9))
            .add_extension(usage(sign=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(self.identity)]), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key()), critical=False)
            .add_extension(unknown("1.3.6.1.4.1.57264.1.1", self.issuer.encode()), critical=False)
            .add_extension(unknown("1.3.6.1.4.1.57264.1.8", utf8(self.issuer)), critical=False)
        )  # fmt: skip
        if self.commit:
            builder = builder.add_extension(
                unknown("1.3.6.1.4.1.57264.1.13", utf8(self.commit)), critical=False
            )
        before = builder.sign(self.authority, hashes.SHA256())
        promised = x509.UnrecognizedExtension(SCT_LIST, self._promise(before))
        return builder.add_extension(promised, critical=False).sign(self.authority, hashes.SHA256())

    def _promise(self, before: x509.Certificate) -> bytes:
        """A SignedCertificateTimestampList (RFC 6962, 3.3), as the DER octet string inside the extension."""
        milliseconds = int(NOW.timestamp() * 1000)
        body = before.tbs_certificate_bytes
        said = struct.pack("!BBQH", 0, 0, milliseconds, 1) + hashlib.sha256(der_of(self.authority)).digest()
        said += len(body).to_bytes(3, "big") + body + struct.pack("!H", 0)
        signature = self.certificate_log.sign(said, ec.ECDSA(hashes.SHA256()))
        number = hashlib.sha256(der_of(self.certificate_log)).digest()
        sct = (
            b"\x00"
            + number
            + struct.pack("!QH", milliseconds, 0)
            + b"\x04\x03"
            + struct.pack("!H", len(signature))
            + signature
        )
        listed = struct.pack("!H", len(sct)) + sct
        whole = struct.pack("!H", len(listed)) + listed
        return b"\x04" + (bytes([len(whole)]) if len(whole) < 128 else b"\x81" + bytes([len(whole)])) + whole

    def _bundle(self, certificate: x509.Certificate, entry: dict[str, Any]) -> dict[str, Any]:
        body = rfc8785.dumps(entry)
        at, number = int(NOW.timestamp()), hashlib.sha256(der_of(self.transparency_log)).digest()
        leaf = hashlib.sha256(b"\x00" + body).digest()
        promise = rfc8785.dumps(
            {"body": b64(body), "integratedTime": at, "logID": number.hex(), "logIndex": 0}
        )
        note = f"{ORIGIN}\n1\n{b64(leaf)}\n"
        signature = self.transparency_log.sign(note.encode(), ec.ECDSA(hashes.SHA256()))
        checkpoint = f"{note}\n\u2014 {ORIGIN} {b64(number[:4] + signature)}\n"
        log_entry = {
            "logIndex": "0",
            "logId": {"keyId": b64(number)},
            "kindVersion": {"kind": entry["kind"], "version": entry["apiVersion"]},
            "integratedTime": str(at),
            "inclusionPromise": {
                "signedEntryTimestamp": b64(self.transparency_log.sign(promise, ec.ECDSA(hashes.SHA256())))
            },
            "inclusionProof": {
                "logIndex": "0", "rootHash": b64(leaf), "treeSize": "1", "hashes": [], "checkpoint": {"envelope": checkpoint},
            },
            "canonicalizedBody": b64(body),
        }  # fmt: skip
        material = {
            "certificate": {"rawBytes": b64(certificate.public_bytes(serialization.Encoding.DER))},
            "tlogEntries": [log_entry],
        }
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": material,
        }


def usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign, key_cert_sign=not sign, crl_sign=not sign, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def unknown(oid: str, value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
