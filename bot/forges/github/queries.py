"""What `GatherFacts` asks: one GraphQL query where REST would take a dozen requests.

https://docs.github.com/en/graphql/reference/objects#repository
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PEOPLE = "authors(first: 20) { nodes { email user { login } } } committer { email user { login } }"
SIGNATURE = "signature { isValid wasSignedByGitHub signer { login } }"
COMMITS = f"pageInfo {{ hasNextPage endCursor }} nodes {{ commit {{ oid message {SIGNATURE} {PEOPLE} }} }}"
FILES = "pageInfo { hasNextPage endCursor } nodes { path changeType }"
CHANGE = f"""
fragment Change on PullRequest {{
  number title url state isDraft isCrossRepository headRefName headRefOid baseRefName additions deletions
  headRepositoryOwner {{ login }}
  author {{ __typename login }}
  mergedBy {{ __typename login }}
  labels(first: 100) {{ nodes {{ name }} }}
  mergeCommit {{ oid tree {{ oid }} }}
  tip: commits(last: 1) {{ nodes {{ commit {{ oid tree {{ oid }} }} }} }}
  commits(first: 100) {{ {COMMITS} }}
  changedFiles files(first: 100) {{ {FILES} }}
  closingIssuesReferences(first: 20) {{ nodes {{ number repository {{ nameWithOwner }} }} }}
}}"""
BEHIND = "baseRef { compare(headRef: $source) { behindBy } }"
PAST = f"""
query Past($owner: String!, $name: String!, $most: Int!) {{
  repository(owner: $owner, name: $name) {{
    pullRequests(states: MERGED, first: $most, orderBy: {{ field: CREATED_AT, direction: DESC }}) {{ nodes {{
      number title headRefOid
      author {{ __typename login }}
      mergedBy {{ __typename login }}
      labels(first: 50) {{ nodes {{ name }} }}
      commits(first: 50) {{ nodes {{ commit {{ {PEOPLE} }} }} }}
      latestOpinionatedReviews(first: 50) {{
        nodes {{ state author {{ __typename login }} commit {{ oid }} }}
      }}
      tip: commits(last: 1) {{ nodes {{ commit {{
        checkSuites(first: 50) {{ nodes {{ conclusion workflowRun {{ id }} }} }}
      }} }} }}
    }} }}
  }}
}}"""
TEXT = "fragment Text on Blob { oid text isBinary isTruncated }"


@dataclass(frozen=True)
class Wanted:
    """What is asked about: people, paths, a branch, a change, how far its source (if known) is behind."""

    people: Sequence[str] = ()
    paths: Sequence[str] = ()
    branch: bool = False
    change: bool = False
    source: bool = False
    teams: bool = True


def facts(wanted: Wanted) -> str:
    """The query. Its variables: `owner name policy`, and `branch number source u0.. b0.. d0..` as needed.

    What people wrote stands in variables, never in the query.
    """
    variables = ["$owner: String!", "$name: String!", "$policy: String!"]
    variables += ["$branch: String!"] * wanted.branch + ["$number: Int!"] * wanted.change
    variables += ["$source: String!"] * wanted.source
    variables += [f"$u{n}: String!" for n in range(len(wanted.people))]
    variables += [f"$b{n}: String!, $d{n}: String!" for n in range(len(wanted.paths))]
    teams = " ".join(
        f"t{n}: teams(first: 100, userLogins: [$u{n}]) {{ nodes {{ combinedSlug }} }}"
        for n in range(len(wanted.people))
    )
    files = " ".join(
        f"b{n}: object(expression: $b{n}) {{ ...Text }} d{n}: object(expression: $d{n}) {{ ...Text }}"
        for n in range(len(wanted.paths))
    )
    held = " ".join(
        f"c{n}: collaborators(query: $u{n}, first: 20) {{ edges {{ permission node {{ login }} }} }}"
        for n in range(len(wanted.people))
    )
    owner = f"owner {{ ... on Organization {{ {teams} }} }}" if teams and wanted.teams else ""
    named = "branch: ref(qualifiedName: $branch) { target { oid } }" if wanted.branch else ""
    behind = BEHIND if wanted.source else ""
    change = f"pullRequest(number: $number) {{ ...Change {behind} }}" if wanted.change else ""
    return f"""query Facts({", ".join(variables)}) {{
  repository(owner: $owner, name: $name) {{
    viewerPermission isArchived {owner}
    defaultBranchRef {{ name target {{ oid }} refUpdateRule {{ pattern }} rules(first: 1) {{ totalCount }} }}
    policy: object(expression: $policy) {{ ...Text }}
    {named} {files} {held} {change}
  }}
}}
{TEXT}{CHANGE if wanted.change else ""}"""


def more(field: str) -> str:
    """The next hundred `commits` or `files` of a change."""
    wanted = COMMITS if field == "commits" else FILES
    return f"""query More($owner: String!, $name: String!, $number: Int!, $after: String!) {{
  repository(owner: $owner, name: $name) {{
    pullRequest(number: $number) {{ {field}(first: 100, after: $after) {{ {wanted} }} }}
  }}
}}"""
