"""A stateful forge and deployer in memory, that enforce the rules handlers rely on. Shared by all handler
tests."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

import policies
from bot import messages
from bot.domain import effect as fx
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.errors import Permanent
from bot.domain.event import Draft
from bot.domain.model import Model


def sha_of(*parts: object) -> str:
    return hashlib.sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()


START = sha_of("start")


@dataclass
class FakeForge:
    """One repository. `outbox` holds the facts its webhooks would bring."""

    repository: str = "demo/booking"
    policy: str | None = None
    people: dict[str, p.Actor] = field(default_factory=dict)
    branches: dict[str, dict[str, str]] = field(default_factory=lambda: {"main": {"README.md": "hello"}})
    heads: dict[str, str] = field(default_factory=lambda: {"main": START})
    change: dict[str, Any] | None = None
    comments: dict[str, str] = field(default_factory=dict)
    reactions: list[tuple[str, str]] = field(default_factory=list)
    checks: dict[str, fx.SetCheck] = field(default_factory=dict)
    deployments: list[fx.RecordDeployment] = field(default_factory=list)
    outbox: list[Draft] = field(default_factory=list)
    committed: list[fx.CommitFiles] = field(default_factory=list)
    can_write: bool = True
    runs: dict[str, p.PipelineFinished] = field(default_factory=dict)
    contained: dict[str, str] = field(default_factory=dict)
    """Branch -> the head of main that is in it."""
    tells_trees: bool = True
    """Whether the call about a merge has the trees, or they have to be asked for."""
    names_merges: bool = True
    """Whether that call names the commit that is on the target, or the head in its place."""
    refusal: Permanent | None = None
    """What bringing a branch up to date, or merging it, comes to."""
    past: tuple[p.PastChange, ...] = ()
    paths: tuple[str, ...] | None = None
    """What the change touches, where a test is about it."""
    told: dict[str, Any] = field(default_factory=dict)
    """What else is said of the change."""
    trial: fx.PolicyTrial | None = None
    """What trying the policy of a change comes to, where a test is about it."""
    performed: list[fx.Effect] = field(default_factory=list)
    evidence: fx.EvidenceResult = field(default_factory=fx.EvidenceResult)
    """What the reports of a run come to."""
    recalled: fx.CoverageResult = field(default_factory=fx.CoverageResult)
    """What the log knows of the target's coverage."""
    missing: bool = False
    """The repository is not there."""
    owned: bool = True
    """Whether a repository that was made can be found afterwards."""
    unknown: frozenset[str] = frozenset()
    """Kinds of effects that this forge does not have."""

    def wanted(self, kind: type[fx.Effect]) -> list[Any]:
        """Effects of a kind, in order."""
        return [effect for effect in self.performed if isinstance(effect, kind)]

    def perform(self, effect: fx.Effect, world: Any) -> Model:
        self.performed.append(effect)
        if effect.kind in self.unknown:
            raise Permanent("UnknownEffect", f"this forge does not know {effect.kind}")
        name = re.sub("(?<!^)(?=[A-Z])", "_", effect.kind).lower()
        return getattr(self, f"do_{name}")(effect, world)

    def do_gather_evidence(self, effect: fx.GatherEvidence, world: Any) -> Model:
        return self.evidence

    def do_recall_coverage(self, effect: fx.RecallCoverage, world: Any) -> Model:
        return self.recalled

    def do_sign_statement(self, effect: fx.SignStatement, world: Any) -> Model:
        return fx.SignedResult(key_id="key", envelope={"statement": effect.statement})

    def do_gather_facts(self, effect: fx.GatherFacts, world: Any) -> Model:
        if self.missing:
            raise Permanent("NotFound", f"there is no repository {effect.repository!r}")
        branch = effect.branch if effect.branch in self.heads else None
        return p.FactsGathered(
            correlation=effect.correlation,
            repository=effect.repository,
            purpose=effect.purpose,
            default_head=self.heads.get("main"),
            branch_head=self.heads.get(branch or ""),
            change=self._told_change(),
            policy_text=self.policy,
            policy_revision=self.heads.get("main"),
            actors={name: self.people.get(name, p.Actor(login=name)) for name in effect.actors},
            can_write=self.can_write,
            files={path: self.branches[branch or "main"].get(path) for path in effect.paths},
            run=self.runs.get(effect.run or ""),
            past=self.past[: effect.past],
        )

    def _told_change(self) -> dict[str, Any] | None:
        told = {} if self.paths is None else {"paths": list(self.paths)}
        return self.change | told | self.told if self.change else None

    def do_try_policy(self, effect: fx.TryPolicy, world: Any) -> Model:
        if self.trial is not None:
            return self.trial
        text = self.branches[effect.branch].get(".pointsman/policy.yaml", "version: 1\n")
        try:
            policies.load(text, organisation=effect.organisation)
        except policies.PolicyErrors as broken:
            return fx.PolicyTrial(errors=tuple(str(error) for error in broken.errors))
        return fx.PolicyTrial()

    def do_commit_files(self, effect: fx.CommitFiles, world: Any) -> Model:
        files = effect.files
        if effect.files_from:
            files = p.ModuleGenerated.model_validate(world.find(effect.files_from).data).files
        self.contained.setdefault(effect.branch, self.heads["main"])
        tree = self.branches.setdefault(effect.branch, dict(self.branches[effect.base]))
        parent = self.heads.get(effect.branch, self.heads[effect.base])
        paths = [f"{effect.prefix}/{f.path}" if effect.prefix else f.path for f in files]
        before = dict(tree)
        tree.update({path: f.content for path, f in zip(paths, files, strict=True)})
        if tree == before and effect.branch in self.heads:  # nothing to commit: the head is the answer
            return fx.CommitResult(
                sha=parent,
                tree=sha_of(sorted(tree.items())),
                branch=effect.branch,
                signed=True,
                files=tuple(paths),
            )
        sha = sha_of(parent, sorted(tree.items()))
        self.heads[effect.branch] = sha
        self.committed.append(effect)
        if self.change and self.change["source"] == effect.branch and self.change["state"] == "open":
            self._head_moved(messages.BOT)
        return fx.CommitResult(
            sha=sha,
            tree=sha_of(sorted(tree.items())),
            branch=effect.branch,
            parent=parent,
            signed=True,
            files=tuple(paths),
        )

    def _head_moved(self, pusher: str) -> None:
        assert self.change
        self.change |= {"head": self.heads[self.change["source"]], "lastPusher": pusher}
        self.outbox.append(
            Draft(
                type="ChangeUpdated",
                data={k: v for k, v in self.change.items() if k not in {"state", "tree"}},
                actor=pusher,
            )
        )

    def push(self, who: str, path: str, text: str) -> str:
        """A person pushes to the change's branch."""
        assert self.change
        self.branches[self.change["source"]][path] = text
        self.heads[self.change["source"]] = sha_of(self.heads[self.change["source"]], path, text)
        self.change["committers"] = [*self.change["committers"], who]
        self._head_moved(who)
        return self.heads[self.change["source"]]

    def main_moves(self, path: str = "other.py") -> str:
        """Somebody else's change is merged."""
        self.branches["main"][path] = path
        self.heads["main"] = sha_of(self.heads["main"], path)
        return self.heads["main"]

    def do_update_branch(self, effect: fx.UpdateBranch, world: Any) -> Model:
        assert self.change
        if self.refusal:
            raise self.refusal
        if self.change["head"] != effect.expected_head:
            raise Permanent("HeadMoved", "the head moved")
        source, base = self.change["source"], self.heads["main"]
        if self.contained.get(source, START) == base:
            return fx.UpdateResult(head=effect.expected_head, base=base, updated=False)
        self.branches[source] = self.branches["main"] | self.branches[source]
        self.heads[source] = sha_of("update", self.heads[source], base)
        self.contained[source] = base
        self._head_moved(messages.BOT)
        return fx.UpdateResult(head=self.heads[source], base=base, updated=True)

    def do_open_change(self, effect: fx.OpenChange, world: Any) -> Model:
        created = self.change is None
        if created:
            self.change = {
                "repository": self.repository,
                "number": 1,
                "title": effect.title,
                "url": "http://forge/1",
                "author": messages.BOT,
                "source": effect.source,
                "target": effect.target_branch,
                "head": self.heads[effect.source],
                "committers": [messages.BOT],
                "lastPusher": messages.BOT,
                "labels": list(effect.labels),
                "draft": False,
                "state": "open",
            }
            self.outbox.append(
                Draft(
                    type="ChangeOpened",
                    data={k: v for k, v in self.change.items() if k != "state"},
                    actor=messages.BOT,
                )
            )
        assert self.change
        return fx.ChangeResult(number=1, url="http://forge/1", head=self.change["head"], created=created)

    def do_update_change(self, effect: fx.UpdateChange, world: Any) -> Model:
        return fx.Done()

    def do_post_comment(self, effect: fx.PostComment, world: Any) -> Model:
        key = effect.sticky or f"comment-{len(self.comments)}"
        self.comments[key] = effect.body
        return fx.CommentResult(comment_id=key)

    def do_react(self, effect: fx.React, world: Any) -> Model:
        self.reactions.append((effect.comment_id, effect.reaction))
        return fx.Done()

    def do_set_check(self, effect: fx.SetCheck, world: Any) -> Model:
        self.checks[effect.name] = effect
        return fx.CheckResult(check_id=effect.name)

    def do_merge_change(self, effect: fx.MergeChange, world: Any) -> Model:
        assert self.change
        if self.change["head"] != effect.expected_head:
            raise Permanent("HeadMoved", "the head moved")
        if self.refusal:
            raise self.refusal
        source = self.change["source"]
        if effect.up_to_date and self.contained.get(source, START) != self.heads["main"]:
            raise Permanent("BranchBehind", "the branch is behind")
        head_tree = sha_of(sorted(self.branches[source].items()))
        merged = self.branches["main"] | self.branches[source]
        tree = sha_of(sorted(merged.items()))
        merge = sha_of("merge", tree)
        self.heads["main"], self.branches["main"] = merge, merged
        data = {k: v for k, v in self.change.items() if k != "state"} | {
            "mergeSha": merge,
            "tree": tree,
            "headTree": head_tree,
            "mergedBy": messages.BOT,
        }
        if not self.tells_trees:
            self.change |= {"tree": data.pop("headTree"), "mergeSha": merge, "mergeTree": data.pop("tree")}
        if not self.names_merges:
            data["mergeSha"] = data["head"]
        self.change["state"] = "merged"
        self.outbox.append(Draft(type="ChangeMerged", data=data, actor=messages.BOT))
        return fx.MergeResult(sha=merge, tree=tree, head_tree=head_tree)

    def do_create_repository(self, effect: fx.CreateRepository, world: Any) -> Model:
        self.missing = not self.owned
        return fx.Done(id=effect.repository)

    def do_publish_release(self, effect: fx.PublishRelease, world: Any) -> Model:
        return fx.Done(id=effect.tag)

    def do_prepare_environment(self, effect: fx.PrepareEnvironment, world: Any) -> Model:
        return fx.Done(id=effect.environment)

    def do_open_issue(self, effect: fx.OpenIssue, world: Any) -> Model:
        return fx.IssueResult(reference=f"#{len(self.performed)}")

    def do_link_issues(self, effect: fx.LinkIssues, world: Any) -> Model:
        return fx.Done(id=str(effect.change))

    def do_run_pipeline(self, effect: fx.RunPipeline, world: Any) -> Model:
        return fx.PipelineResult(pipeline_id="2")

    def do_answer_deployment(self, effect: fx.AnswerDeployment, world: Any) -> Model:
        return fx.Done(id=effect.deployment_id)

    def do_record_deployment(self, effect: fx.RecordDeployment, world: Any) -> Model:
        self.deployments.append(effect)
        return fx.Done()

    def comment(self, author: str, body: str, world: Any, comment_id: str) -> Draft:
        said = p.Comment(
            repository=self.repository,
            change=1,
            comment_id=comment_id,
            author=author,
            body=body,
            created_at=world.now,
            author_is_bot=author == messages.BOT,
        )
        return draft("CommentCreated", said, actor=author)


@dataclass
class FakeDeployer:
    """What runs where. A release whose version is in `sick` never becomes healthy."""

    running: dict[str, str] = field(default_factory=dict)
    sick: set[str] = field(default_factory=set)
    applied: list[tuple[str, str, int]] = field(default_factory=list)
    effects: list[fx.ApplyRelease] = field(default_factory=list)
    hold: bool = False

    def perform(self, effect: fx.Effect, world: Any) -> Model | None:
        if isinstance(effect, fx.Provision):
            secrets = {"DB": f"@vault:{effect.namespace}/db"}
            return fx.Provisioned(
                namespace=effect.namespace, endpoint=f"http://{effect.namespace}", secrets=secrets
            )
        if isinstance(effect, fx.UndoRelease):
            release = effect.release
            self.running[effect.failed.environment] = release.version if release else ""
            return fx.Health(healthy=release is not None, url="http://x")
        assert isinstance(effect, fx.ApplyRelease)
        if self.hold:
            return None
        release = effect.release
        self.effects.append(effect)
        self.applied.append((release.environment, release.version, effect.attempt))
        self.running[release.environment] = release.version
        healthy = release.version not in self.sick
        return fx.Health(
            healthy=healthy,
            url="http://x",
            reason="" if healthy else "readiness never answered 200",
            startup_time_ms=5.0,
            log_tail="" if healthy else "Traceback: boom",
        )
