# Who this is of, beside what was packed: plain words only, as the metadata of a job are.
mkdir -p dist
printf '{"traceId": "%s", "moduleId": "%s", "versionTag": "%s", "agentId": "%s", "skillId": "%s", "sprintId": "%s", "milestoneId": "%s", "imageTag": "%s", "revision": "%s", "status": "Success"}\n' \
  "$traceId" "$moduleId" "$versionTag" "$agentId" "$skillId" "$sprintId" "$milestoneId" "$imageTag" "$revision" \
  > dist/execution-metadata.json
