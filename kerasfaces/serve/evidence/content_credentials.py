"""Content Credentials: a signed record of how a file was made, read and verified by c2pa.

C2PA Technical Specification 2 (c2pa.org); the package is `c2pa-python`. Nothing is fetched:
neither records that lie elsewhere nor whether a certificate was revoked.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence

from kerasfaces.core.errors import MissingExtraError
from kerasfaces.core.files import Json
from kerasfaces.core.imports import optional_import
from kerasfaces.serve.evidence import source_type
from kerasfaces.serve.evidence._contract import (
    EXTRA,
    Evidence,
    File,
    UnreadError,
    shown,
)

TITLE = "Content Credentials"
_MARK = b"jumb"  # the box that every embedded record lies in
_ANCESTORS = 20  # records behind the newest that are looked through
_SIGNER = "signingCredential."  # failures that concern who signed, not what


def read(file: File) -> list[Evidence]:
    """Return what a signed record says.

    Raises:
        UnreadError: c2pa is missing or cannot read it.
    """
    try:
        c2pa = optional_import("c2pa", EXTRA)
    except MissingExtraError as error:
        if _MARK not in file.data:
            return []
        raise UnreadError(f"{TITLE} seem to be there: {error}") from error
    settings: Json = {
        "verify": {
            "verify_trust": True,
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
        }
    }
    if file.trust:
        settings["trust"] = {"trust_anchors": file.trust}
    try:
        context = c2pa.Context.from_dict(settings)
        with c2pa.Reader(io.BytesIO(file.data), context=context) as reader:
            report = json.loads(reader.json())
    except (c2pa.C2paError.ManifestNotFound, c2pa.C2paError.NotSupported):
        return []
    except c2pa.C2paError as error:
        if _MARK not in file.data and not isinstance(
            error, c2pa.C2paError.RemoteManifest
        ):
            return []  # a damaged picture without a record
        raise UnreadError(f"{TITLE} cannot be read ({shown(error)})") from error
    return [_evidence(report)]


def _evidence(report: Json) -> Evidence:
    manifests = report.get("manifests", {})
    active = manifests.get(report.get("active_manifest"), {})
    signature = active.get("signature_info", {})
    signer = signature.get("common_name") or signature.get("issuer") or "somebody"
    details = {
        "signer": shown(signer),
        "organisation": shown(signature.get("issuer", "")),
        "time": shown(signature.get("time", "")),
        "software": shown(", ".join(_software(active))),
        "validation": shown(report.get("validation_state", "")),
    }
    details = {name: value for name, value in details.items() if value}
    broken = [code for code in _failures(report) if not code.startswith(_SIGNER)]
    if report.get("validation_state") not in ("Valid", "Trusted"):
        codes = (
            ", ".join(dict.fromkeys(broken or _failures(report))) or "no reason given"
        )
        return Evidence(
            finding="unknown",
            state="tampered",
            sentence=f"{TITLE} of {details['signer']} do not fit this file: it, or they, were "
            f"changed after signing ({shown(codes)}); what they say is void.",
            details=details,
        )
    types = _source_types(manifests, active)
    finding, meaning = source_type.meaning_of(types)
    trusted = report["validation_state"] == "Trusted"
    who = f"signed by {details['signer']}"
    who += (
        ", whom your list trusts"
        if trusted
        else ", a signer that no list of yours vouches for"
    )
    return Evidence(
        finding=finding,
        state="trusted" if trusted else "untrusted",
        sentence=f"{TITLE}, whole and {who}, say: {meaning}.",
        details=details | ({"source types": ", ".join(types)} if types else {}),
    )


def _failures(report: Json) -> list[str]:
    return [shown(each.get("code", "")) for each in report.get("validation_status", ())]


def _software(manifest: Json) -> list[str]:
    """Return the names of what made a record and of what its actions name."""
    names = [
        str(each.get("name", "")) for each in manifest.get("claim_generator_info", ())
    ]
    for action in _actions(manifest):
        agent = action.get("softwareAgent", "")
        name = agent.get("name", "") if isinstance(agent, Mapping) else agent
        names.append(str(name))
    return list(dict.fromkeys(name for name in names if name))


def _actions(manifest: Json) -> Iterator[Json]:
    for assertion in manifest.get("assertions", ()):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            data = assertion.get("data", {})
            yield from data.get("actions", ()) if isinstance(data, Mapping) else ()


def _source_types(manifests: Json, manifest: Json) -> Sequence[str]:
    """Return the source types of a record, or else of the file that it was made from."""
    for _ in range(_ANCESTORS):
        types = [
            str(action["digitalSourceType"]).rpartition("/")[2]
            for action in _actions(manifest)
            if "digitalSourceType" in action
        ]
        if types:
            return list(dict.fromkeys(map(shown, types)))
        parents = [
            each.get("active_manifest")
            for each in manifest.get("ingredients", ())
            if each.get("relationship") == "parentOf"
        ]
        if not parents or parents[0] not in manifests:
            break
        manifest = manifests[parents[0]]
    return []
