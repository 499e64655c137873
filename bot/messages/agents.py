"""What agents say when they refuse or fail. Plain text: it stands in events, checks and pages."""

from __future__ import annotations

from bot.messages.text import short


def secret_found(path: str, line: int, kind: str) -> str:
    return (
        f"{path}:{line} holds what looks like a secret ({kind}). Nothing was committed. Take it out, change it where it is in "
        "use, and refer to it as @vault:NAME."
    )


def bot_cannot_write(repository: str) -> str:
    return f"The bot may not push to {repository}. Give its account write access, then /retry."


def submitter_cannot_write(login: str, repository: str) -> str:
    return f"{login} may not write to {repository}, so the bot does not do it for them. Ask someone with write access to submit."


def repository_empty(repository: str, branch: str) -> str:
    return (
        f"{repository} has no commit on {branch} yet. Push a first commit (a README is enough), then /retry."
    )


def agent_branch_name(branch: str) -> str:
    return f"The branch {branch} does not name a module: push to agent/<module>/<version>, for example agent/booking-service/1.0.0."


def nothing_committed() -> str:
    return "There is no commit to open a change for."


def target_branch(target: str, default: str) -> str:
    return f"Changes go to {default} here; {target} is not a branch that releases start from."


def changelog_invalid(entry: str) -> str:
    return f"A changelog entry is one line of 2 to 200 characters; this one is not: {entry[:60]!r}."


def effect_failed(effect: str, attempt: int, message: str) -> str:
    return f"{effect} failed after {attempt} attempt{'s' if attempt != 1 else ''}: {message}"


def new_revision(head: str) -> str:
    return f"a push made {short(head)} the head"


def nothing_approved() -> str:
    return "No environment is approved for deployment."


def rolled_back_before(environment: str, version: str) -> str:
    return f"{version} was rolled back in {environment}; automation does not deploy it there again. Submit a new version."


def not_provisioned(environment: str) -> str:
    return f"{environment} has no namespace for this module yet. /retry once the cloud-provisioner is done."


def rollback_not_allowed(environment: str, version: str, reason: str) -> str:
    return f"{version} is not healthy in {environment} ({reason}) and the policy forbids an automatic rollback. Use /request-rollback {environment}."


def rolled_back(version: str, before: str) -> str:
    return f"{version} did not become healthy; {before} runs again."


def rollback_failed(version: str, reason: str) -> str:
    return f"{version} did not become healthy and nothing good runs now: {reason or 'nothing was running before'}."


def crash_loop(version: str, falls: int) -> str:
    return f"{version} died {falls} times after its deployment."


def not_revived(version: str, reason: str) -> str:
    return f"{version} died after its deployment and did not come back: {reason}"


def module_not_accepted(module: str, submitter: str) -> str:
    return f"This trace delivers {module} of {submitter}, and only that until it is merged. Submit this as a trace of its own."


def service_changed() -> str:
    return "the way the service is started has changed"
