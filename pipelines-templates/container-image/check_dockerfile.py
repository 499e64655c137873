"""Refuse an image that runs as root or begins with an image that anybody can move."""
import os, re, sys
from pathlib import Path

folder = Path(os.environ["CONTEXT"])
path = next((folder / name for name in ("Dockerfile", "Containerfile") if (folder / name).is_file()), None)
if path is None:
    sys.exit(f"no Dockerfile is in {folder}")
lines = path.read_text().replace("\\\n", " ").splitlines()
words = [line.split() for line in lines if line.strip() and not line.lstrip().startswith("#")]
stages = {word[3].lower() for word in words if word[0].upper() == "FROM" and len(word) > 3}
faults = []
for word in words:
    if word[0].upper() != "FROM":
        continue
    image = next(part for part in word[1:] if not part.startswith("--"))
    tag = re.search(r":([^/@]+)(@|$)", image)
    if image.lower() not in stages | {"scratch"} and "@" not in image and (not tag or tag[1] == "latest"):
        faults.append(f"FROM {image} names no version: add a tag or a digest")
users = [word[1] for word in words if word[0].upper() == "USER"]
if not users or users[-1].split(":")[0] in ("root", "0"):
    faults.append("the image runs as root: end with USER and a number, such as USER 10001:10001")
print("\n".join([*faults, f"{len(faults)} finding(s)"]))
sys.exit(1 if faults else 0)
