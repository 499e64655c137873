"""Sigstore bundles: signed with a certificate that lived for minutes, and written into a public log.

Verified offline against a trust root: the one of the public instance that the library carries, or that of a
private instance (`POINTSMAN_SIGSTORE_TRUSTED_ROOT`). Whose signatures count is the policy's word (`trust`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.attestations import statement
from bot.domain.errors import Invalid
from bot.domain.payloads import AttestationReport, Signer, Subject
from bot.evidence import statements

if TYPE_CHECKING:  # the library takes half a second to load
    from cryptography.x509 import Certificate
    from sigstore.models import Bundle
    from sigstore.verify import Verifier

PUBLIC_ROOT = ("https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json")
ISSUER = ("1.3.6.1.4.1.57264.1.8", "1.3.6.1.4.1.57264.1.1")
"""Who vouched for the identity: as DER text, and (before) as bare text (sigstore's `oid-info.md`)."""
SOURCE_DIGEST = ("1.3.6.1.4.1.57264.1.13", "1.3.6.1.4.1.57264.1.3")
"""The commit that a CI system was working on when it signed, in the same two ways."""


def read(content: bytes, revision: str, trusted_root: Path | None) -> AttestationReport:
    """What a bundle says, and who signed it. Raises Invalid.

    A signature that does not hold is evidence too: it is kept with the reason, and the gate rejects it.
    """
    from sigstore.errors import Error
    from sigstore.models import Bundle

    try:
        bundle = Bundle.from_json(content)
    except (Error, ValueError, TypeError) as error:
        raise Invalid("NotABundle", f"the file is not a Sigstore bundle: {_line(error)}") from error
    refused = _refused(bundle, trusted_root)
    named = _commit(bundle) == revision
    predicate, subjects = _about(bundle)
    if bundle._dsse_envelope is not None:  # noqa: SLF001  the library tells its content only after verifying
        named = statements.names(_statement(bundle), revision) or named
    elif _commit(bundle) not in {"", revision}:
        raise Invalid("OtherRevision", f"the certificate is about {_commit(bundle)}, not {revision}")
    return AttestationReport(
        predicate_type=predicate,
        subjects=subjects,
        names_revision=named,
        signers=() if refused else tuple(_signers(bundle)),
        refused=refused,
    )


def _refused(bundle: Bundle, trusted_root: Path | None) -> str:
    """Why the signature does not hold; empty when it does."""
    from sigstore.errors import Error
    from sigstore.hashes import Hashed

    verifier = _verifier(trusted_root)
    try:
        if bundle._dsse_envelope is not None:  # noqa: SLF001  as above
            verifier.verify_dsse(bundle, _Anybody())
        else:
            digest = _message_digest(bundle)
            verifier.verify_artifact(
                Hashed(algorithm=digest.algorithm, digest=digest.digest), bundle, _Anybody()
            )
    except (Error, ValueError, TypeError, KeyError) as error:
        return _line(error)
    return ""


class _Anybody:
    """Whose signature it is, the policy of the release judges, each time anew."""

    def verify(self, certificate: Certificate) -> None:
        """Any certificate that the trust root vouches for."""


@cache
def _verifier(trusted_root: Path | None) -> Verifier:
    from sigstore.errors import Error
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier

    if trusted_root is None:
        with as_file(files("sigstore._store").joinpath(*PUBLIC_ROOT)) as place:
            return Verifier(trusted_root=TrustedRoot.from_file(str(place)))
    try:
        return Verifier(trusted_root=TrustedRoot.from_file(str(trusted_root)))
    except (Error, OSError, ValueError) as error:
        message = f"POINTSMAN_SIGSTORE_TRUSTED_ROOT can not be used: {_line(error)}"
        raise Invalid("TrustedRootUnusable", message) from error


def _statement(bundle: Bundle) -> statement.Statement:
    inner = bundle._dsse_envelope._inner  # type: ignore[union-attr]  # noqa: SLF001  as above
    return statement.read(inner.payload, inner.payload_type)


def _about(bundle: Bundle) -> tuple[str, tuple[Subject, ...]]:
    if bundle._dsse_envelope is not None:  # noqa: SLF001  as above
        said = _statement(bundle)
        return said.predicate_type, statement.subjects(said)
    digest = _message_digest(bundle)
    name = f"sha256:{digest.digest.hex()}"
    return "", (Subject(name=name, digest=name),)


def _message_digest(bundle: Bundle) -> Any:
    signature = bundle._inner.message_signature  # noqa: SLF001  as above
    if signature is None or signature.message_digest is None:
        raise Invalid(
            "NotABundle", "the bundle signs neither a statement nor a digest", path="messageSignature"
        )
    return signature.message_digest


def _signers(bundle: Bundle) -> Iterator[Signer]:
    from cryptography.x509 import RFC822Name, SubjectAlternativeName, UniformResourceIdentifier

    certificate = bundle.signing_certificate
    names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    issuer = _extension(bundle, ISSUER)
    for kind in (UniformResourceIdentifier, RFC822Name):
        for name in names.get_values_for_type(kind):
            yield Signer(identity=name, issuer=issuer)


def _commit(bundle: Bundle) -> str:
    return _extension(bundle, SOURCE_DIGEST).lower()


def _extension(bundle: Bundle, oids: tuple[str, str]) -> str:
    """The text of the first of two extensions that is there: DER (a UTF8String) or, in the second, bare."""
    from cryptography.hazmat.asn1 import decode_der
    from cryptography.x509 import ExtensionNotFound, ObjectIdentifier

    extensions = bundle.signing_certificate.extensions
    for oid, bare in zip(oids, (False, True), strict=True):
        try:
            value = extensions.get_extension_for_oid(ObjectIdentifier(oid)).value.public_bytes()
        except ExtensionNotFound:
            continue
        return value.decode(errors="replace") if bare else decode_der(str, value)
    return ""


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:300]
