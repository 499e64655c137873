"""Refuse a plain secret and an image that names no version in what was rendered."""
import re, sys
from pathlib import Path

faults = []
for path in sorted(Path("rendered").glob("*.yaml")):
    for at, text in enumerate(re.split(r"(?m)^---\s*$", path.read_text()), 1):
        if re.search(r"(?m)^kind:\s*[\"']?Secret[\"']?\s*$", text):
            faults.append(f"{path.name}: document {at} is a Secret: let the vault's operator make it")
        for image in re.findall(r"(?m)^\s*-?\s*image:\s*[\"']?([^\s\"']+)", text):
            tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
            if "@" not in image and tag in ("", "latest"):
                faults.append(f"{path.name}: {image} names no version: add a tag or a digest")
print("\n".join([*faults, f"{len(faults)} finding(s)"]))
sys.exit(1 if faults else 0)
