"""Files with Content Credentials, signed by c2pa's own signer with certificates made here."""

import datetime
import functools
import io

from PIL import Image

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CAPTURED = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


@functools.cache
def certificates():
    """Return a signer's chain, its key and its root, as PEM bytes."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("Test root", root_key, root_key, authority=True)
    leaf = _certificate("Test signer", key, root_key, authority=False)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (
        leaf.public_bytes(pem) + root.public_bytes(pem),
        secret,
        root.public_bytes(pem),
    )


def _certificate(name, key, issuer_key, authority):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(common):
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test organisation"),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )

    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    unused = ("content_commitment", "key_encipherment", "data_encipherment")
    unused = (*unused, "key_agreement", "encipher_only", "decipher_only")
    usage = dict.fromkeys(unused, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("Test root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + 30 * day)
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                key_cert_sign=authority,
                crl_sign=authority,
                **usage,
            ),
            critical=True,
        )
        .add_extension(own, critical=False)
        .add_extension(above, critical=False)
    )
    if not authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def signed(source_type=GENERATED, picture=None, parent=None):
    """Return a signed JPEG's bytes; with `parent`, one that was opened from that file."""
    import c2pa

    chain, key, _ = certificates()
    info = c2pa.C2paSignerInfo(
        alg=b"es256", sign_cert=chain, private_key=key, ta_url=None
    )
    action = {"action": "c2pa.created", "softwareAgent": {"name": "Some maker"}}
    action["digitalSourceType"] = source_type
    if parent is not None:
        action = {"action": "c2pa.opened"}
    manifest = {
        "claim_generator_info": [{"name": "Test tool", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
    source, result = io.BytesIO(), io.BytesIO()
    (picture or Image.effect_noise((96, 96), 40).convert("RGB")).save(source, "JPEG")
    source.seek(0)
    with c2pa.Builder(manifest) as builder, c2pa.Signer.from_info(info) as signer:
        if parent is not None:
            action["parameters"] = {"ingredientIds": ["parent"]}
            builder = c2pa.Builder(manifest)
            ingredient = {"title": "x", "relationship": "parentOf", "label": "parent"}
            builder.add_ingredient(ingredient, "image/jpeg", io.BytesIO(parent))
        builder.sign(signer, "image/jpeg", source, result)
    return result.getvalue()
