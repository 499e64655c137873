"""Pack $MODULE_PATH into dist/, the same bytes for the same sources, with the metadata of the trace beside it."""
import json, os, time, zipfile
from pathlib import Path

began = time.monotonic()
source, dist = Path(os.environ["MODULE_PATH"]), Path("dist")
dist.mkdir(exist_ok=True)
archive = f"{os.environ['MODULE']}.zip"
with zipfile.ZipFile(dist / archive, "w", zipfile.ZIP_DEFLATED) as packed:
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if path.is_file() and not hidden and dist not in path.parents:
            entry = zipfile.ZipInfo(name.as_posix(), date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = (path.stat().st_mode & 0o111 | 0o644) << 16
            packed.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
fields = ("traceId", "moduleId", "versionTag", "agentId", "skillId", "sprintId", "milestoneId", "imageTag")
metadata = {field: os.environ.get(field, "") for field in fields}
labels = {f"dev.pointsman.{field}": value for field, value in metadata.items() if value and field != "imageTag"}
revision = os.environ["revision"]
metadata["labels"] = labels | {"org.opencontainers.image.revision": revision, "org.opencontainers.image.version": metadata["versionTag"]}
metadata |= {"revision": revision, "status": "Success", "durationMs": round(1000 * (time.monotonic() - began)), "artifact": archive}
(dist / "execution-metadata.json").write_text(json.dumps(metadata, indent=2) + "\n")
print(f"packed {archive} for {metadata['traceId']}")
