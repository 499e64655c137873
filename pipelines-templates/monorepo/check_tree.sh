# What no module's own pipeline would see.
if git grep --line-number --extended-regexp '^(<{7}|>{7}) ' -- . ':!*.md'; then
  echo "these lines are left over from a merge: settle them" >&2
  exit 1
fi
