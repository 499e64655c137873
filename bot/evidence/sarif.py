"""SARIF 2.1.0: what a scan found (https://docs.oasis-open.org/sarif/sarif/v2.1.0/).

Only what is read is modelled. Suppressions are not heeded: they are the author's word, and what is accepted
is the policy's (`vulnerabilities: {allow: ...}`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from bot.domain.errors import Invalid
from bot.domain.payloads import FindingKind, ScanReport
from bot.domain.payloads.evidence import NAMED, Severity

ORDER: tuple[Severity, ...] = ("critical", "high", "medium", "low")
LEVELS: dict[str, Severity | None] = {"error": "high", "warning": "medium", "note": "low", "none": None}
SCORES: tuple[tuple[float, Severity], ...] = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"))
"""From where on a `security-severity` (a CVSS score) counts as what, as CVSS 3.1 rates it; below: low."""
OF_NO_CONCERN = frozenset({"pass", "notApplicable", "informational"})
LONGEST = 200
Level = Literal["error", "warning", "note", "none"]


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Properties(_Read):
    """Of a rule. GitHub's property, which scanners write for everybody."""

    security_severity: str | float | None = Field(default=None, alias="security-severity")


class Configuration(_Read):
    """How bad what a rule finds is, when the result does not say."""

    level: Level = "warning"


class Rule(_Read):
    """A rule, by the id that its results name."""

    id: str
    default_configuration: Configuration = Configuration()
    properties: Properties = Properties()


class Component(_Read):
    """A tool, or an extension of one."""

    name: str
    rules: tuple[Rule, ...] = ()


class Tool(_Read):
    """Who looked."""

    driver: Component
    extensions: tuple[Component, ...] = ()


class RuleReference(_Read):
    """The other way in which a result names its rule."""

    id: str = ""
    index: Annotated[int, Field(ge=-1)] = -1


class Result(_Read):
    """One thing that was looked at."""

    rule_id: str = ""
    rule_index: Annotated[int, Field(ge=-1)] = -1
    rule: RuleReference = RuleReference()
    kind: str = "fail"
    level: Level | None = None
    baseline_state: str = ""
    locations: tuple[dict[str, Any], ...] = ()
    properties: Properties = Properties()


class Automation(_Read):
    """Tells several runs of one tool apart."""

    id: str = ""


class Run(_Read):
    """One run of one tool. Without `results` nothing was looked for, or it failed."""

    tool: Tool
    results: tuple[Result, ...] | None = None
    automation_details: Automation = Automation()


class Log(_Read):
    """A file."""

    version: Literal["2.1.0"]
    runs: tuple[Run, ...] = Field(min_length=1)


def read(content: bytes) -> ScanReport:
    """What was found. Raises Invalid('NotSarif') with the path."""
    try:
        log = Log.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(map(str, first["loc"]))
        raise Invalid("NotSarif", f"{path or 'the file'}: {first['msg']}", path=path) from error
    for index, run in enumerate(log.runs):
        if run.results is None:
            path = f"runs.{index}.results"
            raise Invalid("ScanFailed", f"{path} is missing: that scan gave no answer", path=path)
    found = [one for run in log.runs for one in _found(run)]
    names = dict.fromkeys(_name(run) for run in log.runs)
    return _report(" + ".join(names)[:LONGEST], found)


def _name(run: Run) -> str:
    detail = run.automation_details.id
    return f"{run.tool.driver.name} ({detail})" if detail else run.tool.driver.name


def _found(run: Run) -> Iterator[tuple[str, Severity, str]]:
    rules = {rule.id: rule for part in (*run.tool.extensions, run.tool.driver) for rule in part.rules}
    for result in run.results or ():
        if result.kind in OF_NO_CONCERN or result.baseline_state == "absent":
            continue
        name = result.rule_id or result.rule.id or _indexed(run, result)
        severity = _severity(result, rules.get(name))
        if severity:
            yield name[:LONGEST] or "unnamed", severity, _where(result)


def _indexed(run: Run, result: Result) -> str:
    index = max(result.rule_index, result.rule.index)
    rules = run.tool.driver.rules
    return rules[index].id if 0 <= index < len(rules) else ""


def _severity(result: Result, rule: Rule | None) -> Severity | None:
    """By the score where there is one, of the result before that of its rule; else by the level."""
    for said in (result.properties, rule.properties if rule else Properties()):
        score = _score(said.security_severity)
        if score is not None:
            return next((name for least, name in SCORES if score >= least), "low")
    return LEVELS[result.level or (rule.default_configuration.level if rule else "warning")]


def _score(said: str | float | None) -> float | None:
    try:
        return None if said is None else float(said)
    except ValueError:
        return None


def _where(result: Result) -> str:
    for location in result.locations:
        physical = location.get("physicalLocation")
        artifact = physical.get("artifactLocation") if isinstance(physical, dict) else None
        uri = artifact.get("uri") if isinstance(artifact, dict) else None
        if isinstance(uri, str):
            return uri[:LONGEST]
    return ""


def _report(tool: str, found: list[tuple[str, Severity, str]]) -> ScanReport:
    counts = Counter((name, severity) for name, severity, _ in found)
    places: dict[tuple[str, Severity], str] = {}
    for name, severity, place in found:
        places.setdefault((name, severity), place)
    worst = sorted(counts, key=lambda key: (ORDER.index(key[1]), key[0]))
    more = Counter(dict.fromkeys(ORDER, 0))
    for key in worst[NAMED:]:
        more[key[1]] += counts[key]
    return ScanReport(
        tool=tool,
        total=len(found),
        findings=tuple(
            FindingKind(
                id=name, severity=severity, component=places[name, severity], count=counts[name, severity]
            )
            for name, severity in worst[:NAMED]
        ),
        more={severity: count for severity, count in more.items() if count},
    )
