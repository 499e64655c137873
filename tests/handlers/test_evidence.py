"""Reports change verdicts: gathered when a pipeline ends and a gate reads them, uploaded, refused, compared."""

from __future__ import annotations

import json
from typing import Any

from bot.domain import effect as fx
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.evidence.read import About, Given, Reader
from handlers.evaluation import release_facts
from policies.facts import Artifact, Component, Finding, Signature
from tests.evidence import files as f
from tests.handlers.world import POLICY, World

GATES = """\
version: 1
roles:
  ProductOwner: {users: [jane.doe]}
environments:
  production:
    gates:
      - tests-passed
"""
PRIVATE, PEM = f.key()
TRUST = "trust:\n  keys:\n    ci: |\n" + "".join(f"      {line}\n" for line in PEM.splitlines())


def with_gates(*gates: str, more: str = "") -> World:
    policy = GATES + "".join(f"      - {gate}\n" for gate in gates) + more
    return World(policy=policy).submit(needs_infrastructure=False)


def said(
    content: bytes, revision: str, source: Any = "pipeline", path: str = "out/report"
) -> p.EvidenceAdded:
    return Reader().read(Given(content, path), About("acme/booking", revision, source))


def head(world: World) -> str:
    return str((world.state.change or {})["head"])


def count(world: World, type_: str) -> int:
    return world.types().count(type_)


def upload(world: World, content: bytes, path: str = "out/report") -> World:
    evidence = said(content, head(world), "upload", path)
    return world.say(draft("pointsman.EvidenceAdded", evidence, actor="ci")).run()


def gate(world: World, name: str, environment: str = "production") -> dict[str, Any]:
    tree: Any = world.state.releases[environment].tree
    return next(dict(child) for child in tree["children"] if child["name"] == name)


def asked(world: World) -> list[fx.GatherEvidence]:
    return [effect for effect in world.forge.performed if isinstance(effect, fx.GatherEvidence)]


def test_reports_are_read_only_when_a_gate_reads_them() -> None:
    assert asked(with_gates().tests().run()) == []
    world = (
        with_gates("vulnerabilities: {block: high}", "sbom-present", "coverage: {minimum: 80}").tests().run()
    )
    (effect,) = asked(world)
    assert (effect.kinds, effect.revision, effect.run, effect.forge) == (
        ("cyclonedx", "sarif"),
        head(world),
        "1",
        "local",
    )


def test_what_a_pipeline_kept_is_judged_once_when_all_is_there() -> None:
    world = with_gates("vulnerabilities: {block: high}", "sbom-present")
    world.forge.evidence = fx.EvidenceResult(
        evidence=(
            said(f.sarif(f.result("CVE-1", "error")), head(world)).to_json(),
            said(f.bom(("a", f.licence("MIT"))), head(world)).to_json(),
        )
    )
    before = count(world, "pointsman.VerdictChanged")
    world.tests().run()
    assert count(world, "pointsman.EvidenceAdded") == 2
    assert count(world, "pointsman.VerdictChanged") - before == 2, "one for the tests, one for all reports"
    assert gate(world, "vulnerabilities")["message"].startswith("Found CVE-1 (high in clock.py)")
    assert gate(world, "sbom-present")["state"] == "approved"
    world.tests().run()
    assert count(world, "pointsman.EvidenceAdded") == 2, "the same report of the same run is no news"


def test_a_report_that_could_not_be_read_is_said_where_it_is_missed() -> None:
    world = with_gates("sbom-present")
    world.forge.evidence = fx.EvidenceResult(refused={"out/bom.json": "NotCycloneDx: specVersion is None"})
    world.tests().run()
    expected = (
        "Waits for the list of parts (SBOM) of this revision. Could not be read: "
        "out/bom.json (NotCycloneDx: specVersion is None)."
    )
    assert gate(world, "sbom-present")["message"] == expected
    world.tests().run()
    assert count(world, "pointsman.EvidenceRefused") == 1
    world.forge.evidence = fx.EvidenceResult(
        evidence=(said(f.bom(("a", f.licence("MIT"))), head(world)).to_json(),)
    )
    world.tests().run()
    assert gate(world, "sbom-present")["state"] == "approved"
    assert world.state.evidence_refused == {head(world): {}}


def test_an_upload_never_takes_the_place_of_what_the_pipeline_said() -> None:
    world = with_gates("vulnerabilities: {block: high}")
    bad, good = f.sarif(f.result("CVE-1", "error")), f.sarif()
    world.forge.evidence = fx.EvidenceResult(evidence=(said(bad, head(world)).to_json(),))
    world.tests().run()
    upload(world, good)
    assert gate(world, "vulnerabilities")["state"] == "rejected"
    world.forge.evidence = fx.EvidenceResult(evidence=(said(good, head(world)).to_json(),))
    world.tests().run()
    assert gate(world, "vulnerabilities")["state"] == "approved", "the same scan, run again, does"


def test_evidence_of_another_revision_counts_for_nothing() -> None:
    world = with_gates("sbom-present").tests().run()
    other = said(f.bom(("a", f.licence("MIT"))), f.OTHER, "upload")
    world.say(draft("pointsman.EvidenceAdded", other, actor="ci")).run()
    assert gate(world, "sbom-present")["state"] == "delayed"
    upload(world, f.bom(("a", f.licence("MIT"))))
    assert gate(world, "sbom-present")["state"] == "approved"


def signed(world: World, revision: str | None, *keys: Any) -> World:
    return upload(world, json.dumps(f.signed(f.provenance(revision), *keys)).encode())


def test_a_signature_holds_by_the_keys_of_the_policy_in_force() -> None:
    world = signed(with_gates("signed-artifacts", more=TRUST).tests().run(), None, PRIVATE)
    assert gate(world, "signed-artifacts")["reason_code"] == "SignatureUnbound"
    signed(world, head(world), PRIVATE)
    assert gate(world, "signed-artifacts")["message"] == "Signed: clock-1.0.0.tar.gz."
    world.policy = world.forge.policy = GATES + "      - signed-artifacts\n"
    world.say(draft("TriggerRequested", p.TriggerRequested(reason="policy"))).run()
    facts = release_facts(world.view(), "production")
    assert [one.name for one in facts.artifacts[head(world)]] == ["clock-1.0.0.tar.gz"]


def test_a_signature_by_another_key_does_not_hold() -> None:
    world = with_gates("signed-artifacts", more=TRUST).tests().run()
    signed(world, head(world), f.key()[0])
    assert gate(world, "signed-artifacts")["reason_code"] == "SignatureInvalid"


def test_what_reports_say_as_facts() -> None:
    world = with_gates("signed-artifacts", more=TRUST).tests(coverage=None).run()  # type: ignore[arg-type]
    for content, path in (
        (f.JUNIT_ONE_FAILED, "junit.xml"),
        (f.COBERTURA_THREE_OF_FOUR, "one.xml"),
        (f.COBERTURA_THREE_OF_FOUR, "two.xml"),
        (f.sarif(f.result("CVE-1", "error"), f.result("CVE-1", "error")), "s"),
        (f.bom(("a", f.licence("MIT")), ("b", f.licence("MIT")), ("c", f.licence("ISC"))), "bom.json"),
    ):
        upload(world, content, path)
    facts, at = release_facts(world.view(), "production"), head(world)
    assert facts.test_reports == {at: "failed"}
    assert facts.coverage == {at: 75.0}
    assert facts.findings == {at: (Finding(id="CVE-1", severity="high", component="clock.py", count=2),)}
    assert facts.components == {
        at: (
            Component(name="c", version="1.0", licences=("ISC",)),
            Component(name="a", version="1.0", licences=("MIT",), count=2),
        )
    }
    assert facts.artifacts == {}
    signed(world, at, f.key()[0], PRIVATE)
    assert release_facts(world.view(), "production").artifacts[at] == (
        Artifact(
            name="clock-1.0.0.tar.gz",
            digest=f"sha256:{f.DIGEST}",
            signatures=(Signature(identity="ci", verified=True, names_revision=True),),
        ),
    )


def test_what_the_pipeline_measured_itself_goes_before_reports() -> None:
    world = upload(with_gates().tests(coverage=91.0).run(), f.COBERTURA_THREE_OF_FOUR)
    assert release_facts(world.view(), "production").coverage == {head(world): 91.0}


def test_a_drop_is_measured_against_what_the_log_knows_of_the_target() -> None:
    world = with_gates("coverage: {no-drop: true}")
    assert gate(world, "coverage")["reason_code"] == "CoverageMissing"
    world.forge.recalled = fx.CoverageResult(coverage=95.5, revision=f.OTHER)
    world.tests(coverage=91.0).run()
    assert gate(world, "coverage")["message"] == "Coverage falls from 95.5 % to 91 %: test what is new."
    assert count(world, "pointsman.CoverageRecalled") == 2
    world.tests(coverage=91.0).run()
    assert count(world, "pointsman.CoverageRecalled") == 2, "the same answer is no news"
    world.forge.recalled = fx.CoverageResult(coverage=90.0, revision=f.OTHER)
    world.tests(coverage=91.0).run()
    assert gate(world, "coverage")["state"] == "approved"


def test_only_the_last_revisions_keep_what_is_known_of_them() -> None:
    world = with_gates().tests().run()
    upload(world, f.JUNIT_ALL_PASSED)
    for number in range(10):
        other = said(f.JUNIT_ALL_PASSED, f"{number:040x}", "upload")
        world.say(draft("pointsman.EvidenceAdded", other, actor="ci"))
    world.run()
    kept = world.state.evidence
    assert len(kept) == 5
    assert head(world) in kept, "the head's stays, however many come after it"
    assert list(kept)[-1] == f"{9:040x}"


def test_without_a_policy_of_reports_nothing_more_is_said() -> None:
    world = World(policy=POLICY).submit().run().tests().run()
    assert {"pointsman.EvidenceAdded", "pointsman.CoverageRecalled"}.isdisjoint(world.types())


def test_what_was_submitted_under_compliance_is_judged_and_recorded_so() -> None:
    roles = "roles: {ReleaseManager: {users: [jane.doe]}, SecurityReviewer: {users: [sam]}}\n"
    policy = "version: 1\n" + roles + "environments: {production: {gates: [tests-passed]}}\n"
    world = World(policy=policy).submit(compliance_mode=True, needs_infrastructure=False).tests()
    assert world.last("pointsman.VerdictChanged").data["compliance"] is True
    assert world.state.releases["production"].compliance
    assert {"sbom-present", "signed-artifacts", "approvals"} <= {
        child["name"] for child in world.last("pointsman.VerdictChanged").data["verdict"]["children"]
    }
    assert asked(world)[-1].kinds == ("cyclonedx", "dsse", "sigstore")
    world.comment("jane.doe", "/approve-release production")
    assert world.last("CommandRefused").data["reasonCode"] == "JustificationRequired"
    plain = World(policy=policy).submit(needs_infrastructure=False).tests()
    assert "compliance" not in plain.last("pointsman.VerdictChanged").data
    assert not plain.state.releases["production"].compliance


def test_signatures_of_commits_are_asked_for_where_a_gate_reads_them() -> None:
    def asked_for(world: World) -> set[bool]:
        return {
            one.signatures
            for one in world.forge.performed
            if isinstance(one, fx.GatherFacts) and one.purpose == "release"
        }

    assert asked_for(with_gates().tests()) == {False}
    assert True in asked_for(with_gates("commit-signatures").tests().comment("jane.doe", "/status"))
