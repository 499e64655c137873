"""What runs kept: artefacts, told with the address of a zip archive."""

from __future__ import annotations

import io
import zipfile
from urllib.parse import urlencode

from tests.forges.azure.fake import told
from tests.forges.azure.fake.calls import Reply, Request, answers
from tests.forges.azure.fake.state import Failure, Json, Organisation


@answers("GET", "artifacts")
def artefacts(call: Request) -> Json | Reply:
    number = int(call.route["buildId"])
    build = call.org.builds.get(number)
    if build is None:
        raise Failure(404, "BuildNotFoundException", f"The requested build {number} could not be found.")
    kept = build.get("fakeArtefacts", {})
    if "artifactName" not in call.query:
        listed = [_told(call.org, build, at, name) for at, name in enumerate(kept)]
        return told.listed(listed)
    assert call.query["$format"] == "zip"
    return Reply(kept[call.query["artifactName"]], kind="application/zip")


def _told(org: Organisation, build: Json, at: int, name: str) -> Json:
    asked = urlencode({"artifactName": name, "api-version": "7.1", "$format": "zip"})
    base = f"{org.url}/{build['project']['id']}/_apis/build/builds/{build['id']}/artifacts"
    address = build.get("fakeAddress") or f"{base}?{asked}"
    resource = {"type": "Container", "data": f"#/{at}/{name}", "properties": {}, "downloadUrl": address}
    return {"id": at + 1, "name": name, "source": "job", "resource": resource | {"url": base}}


def keep(build: Json, name: str, files: dict[str, bytes]) -> None:
    """A run kept these files under this name, which is their folder in the archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(f"{name}/{path}", content)
    build.setdefault("fakeArtefacts", {})[name] = packed.getvalue()
