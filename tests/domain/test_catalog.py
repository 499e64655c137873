"""The catalogue holds every type of the design, under its first name, with its aliases."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

from bot.domain import payloads as p
from bot.domain.catalog import ALIASES, CATALOG, TYPED, canonical_type, draft, payload, read
from bot.domain.errors import Invalid
from bot.domain.event import Draft
from tests.domain.test_event import event

DESIGN = Path(__file__).parents[3] / "shared" / "design" / "domain.md"
FIRST_NAMES = [
    "ProductIntentSubmitted",
    "StrategicBlueprintGenerated",
    "ModuleGenerated",
    "CommitReady",
    "PullRequestCreated",
    "PipelineReady",
    "InfraProvisioned",
    "TestsPassed",
    "TestsFailed",
    "ReleaseApproved",
    "ReleaseDelayed",
    "ReleaseRejected",
    "DeploymentStarted",
    "DeploymentCompleted",
    "DeploymentFailed",
    "RollbackTriggered",
    "ReleasePublished",
    "Pushed",
    "ChangeOpened",
    "ChangeMerged",
    "CommentCreated",
    "PipelineFinished",
    "FactsGathered",
    "CommandIssued",
    "CommandRefused",
    "ApprovalGranted",
    "ApprovalInvalidated",
    "FreezeOverridden",
    "ManualInterventionRequired",
    "AgentTaskScheduled",
    "TaskEscalated",
    "MicroserviceAssemblyCompleted",
    "LifecyclePhaseAdvanced",
    "SprintPlanned",
    "MilestoneReached",
    "ValidationPassed",
]


def test_the_first_names_are_there() -> None:
    assert set(FIRST_NAMES) <= CATALOG.keys()
    assert len(CATALOG) >= 170


def test_every_name_of_the_design_is_known() -> None:
    if not DESIGN.exists():
        warnings.warn(
            "the design is not beside this checkout: only the names above were compared", stacklevel=1
        )
        return
    text = DESIGN.read_text(encoding="utf-8")
    catalogue = text[text.index("## Catalogue") : text.index("## Trace linkage")]
    named = set(re.findall(r"`([A-Z][A-Za-z]+)(?:\{[^`]*\})?`", catalogue[catalogue.index("- Intake") :]))
    unknown = {
        name for name in named if name not in CATALOG and name not in ALIASES and name != "TestResultsReady"
    }
    assert unknown <= {"StudioAdmin"}


def test_an_alias_names_one_type_and_is_no_type_itself() -> None:
    aliases = [alias for entry in CATALOG.values() for alias in entry.aliases]

    assert len(aliases) == len(set(aliases))
    assert not set(aliases) & CATALOG.keys()


def test_every_typed_payload_belongs_to_a_type() -> None:
    assert TYPED.keys() <= CATALOG.keys()


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("ModuleReady", "ModuleGenerated"), ("BlueprintGenerated", "StrategicBlueprintGenerated"), ("ResourcesProvisioned", "InfraProvisioned"),
        ("ApproverSigned", "ApprovalGranted"), ("RoutingFailed", "TaskRoutingFailed"), ("AssemblyCompleted", "MicroserviceAssemblyCompleted"),
        ("PhaseChanged", "LifecyclePhaseAdvanced"), ("ArtifactProduced", "ArtifactReady"), ("Pushed", "Pushed"),
    ],
)  # fmt: skip
def test_aliases_are_stored_under_the_first_name(said: str, stored: str) -> None:
    assert canonical_type(said, {}) == stored


@pytest.mark.parametrize(
    ("result", "stored"),
    [("passed", "TestsPassed"), ("Success", "TestsPassed"), ("failed", "TestsFailed"), ("", "TestsFailed")],
)
def test_test_results_are_one_of_two(result: str, stored: str) -> None:
    assert canonical_type("TestResultsReady", {"result": result}) == stored


def test_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(Invalid) as refused:
        canonical_type("CoffeeReady", {})

    assert refused.value.reason_code == "UnknownEventType"
    assert refused.value.message == "'CoffeeReady' is not an event type of the catalogue (see docs/events.md)"


def test_a_missing_field_is_named_by_its_path() -> None:
    with pytest.raises(Invalid) as refused:
        payload(
            Draft(
                type="CommentCreated", data={"repository": "r", "change": 1, "commentId": "c", "author": "a"}
            )
        )

    assert refused.value.path == "data.createdAt"
    assert refused.value.message == "CommentCreated: data.createdAt: Field required"


def test_unknown_fields_of_a_payload_are_kept() -> None:
    said = event(type="TestsPassed", data={"revision": "a", "flaky": 3})

    assert read(said, p.Tests).model_extra == {"flaky": 3}


def test_reading_as_another_payload_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(TypeError, match="carries Tests, not Comment"):
        read(event(type="TestsPassed", data={"revision": "a"}), p.Comment)


def test_a_draft_takes_only_its_own_payload() -> None:
    with pytest.raises(TypeError, match="TestsPassed takes Tests"):
        draft("TestsPassed", p.CommandRefused(command="c", line="l", reason_code="r", message="m"))
