# Builds the image with whichever of the three is there; all have the same words for it.
builder="$(command -v buildah || command -v podman || command -v docker || true)"
if [ -z "$builder" ]; then
  echo "no docker, podman or buildah is here: give the input builderImage" >&2
  exit 1
fi
set -- --label "org.opencontainers.image.revision=$revision" --label "org.opencontainers.image.version=$versionTag"
for name in traceId moduleId agentId skillId sprintId milestoneId; do
  value="$(printenv "$name" || true)"
  [ -z "$value" ] || set -- "$@" --label "dev.pointsman.$name=$value"
done
"$builder" build "$@" --tag "$IMAGE:$imageTag" "$CONTEXT"
if [ "$PUSH" = yes ]; then
  printf '%s' "$REGISTRY_PASSWORD" | "$builder" login --username "$REGISTRY_USER" --password-stdin "${IMAGE%%/*}"
  "$builder" push "$IMAGE:$imageTag"
  "$builder" logout "${IMAGE%%/*}"
fi
