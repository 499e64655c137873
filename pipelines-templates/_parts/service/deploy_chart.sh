# The credentials are a file of this job alone, gone when it ends.
umask 077
config="$(mktemp -t kube.XXXXXX)"
trap 'rm -f "$config"' EXIT
printf '%s' "$KUBE_CONFIG" > "$config"
set -- --values "$VALUES"
[ -z "$EDITION_VALUES" ] || set -- "$@" --values "$EDITION_VALUES"
helm upgrade "$moduleId" "$CHART" --kubeconfig "$config" --install --namespace "$NAMESPACE" "$@" \
  --set-string "image.repository=$IMAGE" --set-string "image.tag=$imageTag" --set-string "trace.traceId=$traceId" \
  --set-string "trace.versionTag=$versionTag" --atomic --wait --timeout 10m
