"""The steps of a job of Azure Pipelines: code, caches, artefacts, secrets, commands, results. Pure."""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from bot.messages import pipelines as say
from bot.pipelines import metadata
from bot.pipelines.model import FORGE_TOKEN, Cache, Identity, Job, Pipeline, Reports, vault_name
from bot.pipelines.text import block
from bot.pipelines.written import CannotWrite

Step = dict[str, Any]
SYSTEM = "Azure Pipelines"
STAGING = "$(Build.ArtifactStagingDirectory)"
# Of a change Azure checks out a merge that nobody ever sees; what it is of is beside it, one commit down.
_FROM_GIT = (
    'REVISION="$(git rev-parse "${SYSTEM_PULLREQUEST_SOURCECOMMITID:-HEAD}")"\n'
    'COMMIT_MESSAGE="$(git log -1 --format=%B "$REVISION")"\n'
)
METADATA = _FROM_GIT + metadata.shell(message="COMMIT_MESSAGE", revision="REVISION")
# https://learn.microsoft.com/azure/devops/pipelines/process/variables#understand-variable-syntax
_MACRO = re.compile(r"\$\([A-Za-z_][A-Za-z0-9_.]*\)")
AUDIENCE = "api://AzureADTokenExchange"


def of(pipeline: Pipeline, one: Job) -> list[Step]:
    """All steps of a job. Raises CannotWrite."""
    # Two deep: the commit that a change's merge is made of has to be there.
    checkout = {"checkout": "self", "fetchDepth": Quoted("2"), "persistCredentials": Quoted("false")}
    return [
        checkout,
        *(step for cache in one.caches for step in _restored(pipeline, cache)),
        *(step for other in pipeline.before(one) if other.artefacts for step in _downloads(other, one)),
        *_secrets(pipeline, one),
        _script(pipeline, one),
        *_after(pipeline, one),
        *_kept(one),
    ]


def checked(one: Job, text: str) -> str:
    """Azure replaces `$(name)` in what it reads, with no way to say that it shall not; `${{` has one.

    Raises CannotWrite.
    """
    found = _MACRO.search(text)
    if found or text.startswith("$["):
        raise CannotWrite(say.read_as_variable(one.name, found[0] if found else "$[", SYSTEM))
    return text.replace("${{", "${{ '${{' }}")


def _script(pipeline: Pipeline, one: Job) -> Step:
    made = ""
    if one.artefacts:
        made = f'mkdir -p "$BUILD_ARTIFACTSTAGINGDIRECTORY/{one.name}"\n'
    token = 'export IDENTITY_TOKEN="$idToken"\n' if one.identity else ""
    commands = "".join(f"{checked(one, step.rstrip())}\n" for step in one.steps)
    script = block(f"set -eo pipefail\n{made}{METADATA}{token}{commands}")
    step: Step = _with_identity(one, one.identity, script) if one.identity else {"bash": script}
    step["displayName"] = one.name
    if one.retries:
        step["retryCountOnTaskFailure"] = Quoted(str(one.retries))
    return step | {"env": _environment(pipeline, one)}


def _with_identity(one: Job, identity: Identity, script: str) -> Step:
    """The one task that hands a federated token to its commands, as `idToken`.

    https://learn.microsoft.com/azure/devops/pipelines/tasks/reference/azure-cli-v2
    """
    if identity.audience != AUDIENCE:
        raise CannotWrite(say.audience_is_fixed(one.name, identity.audience, SYSTEM))
    given = {
        "azureSubscription": identity.connection,
        "scriptType": "bash",
        "scriptLocation": "inlineScript",
        "addSpnToEnvironment": True,
        "inlineScript": script,
    }
    return {"task": "AzureCLI@2", "inputs": given}


def _environment(pipeline: Pipeline, one: Job) -> dict[str, Any]:
    found = {name: Quoted(checked(one, value)) for name, value in pipeline.constants(one).items()}
    for name, reference in one.secrets.items():
        macro = "System.AccessToken" if reference == FORGE_TOKEN else vault_name(reference)
        found[name] = Quoted(f"$({macro})")
    for name in one.matrix:
        found[name] = Quoted(f"$({name})")
    for name, asked in (pipeline.on.manual.inputs if pipeline.on.manual else {}).items():
        # Azure says True and False.
        chosen = f"lower(parameters.{name})" if asked.kind == "boolean" else f"parameters.{name}"
        found[name] = Quoted(f"${{{{ {chosen} }}}}")
    return found


def _after(pipeline: Pipeline, one: Job) -> list[Step]:
    if not one.after:
        return []
    commands = "".join(f"{checked(one, step.rstrip())}\n" for step in one.after)
    script = {"bash": block(f"set -eo pipefail\n{commands}"), "displayName": f"after {one.name}"}
    return [script | {"condition": "always()", "env": _environment(pipeline, one)}]


def _secrets(pipeline: Pipeline, one: Job) -> list[Step]:
    names = sorted({vault_name(ref) for ref in one.secrets.values() if ref != FORGE_TOKEN})
    if not names or pipeline.vault is None:
        return []
    given = {
        "azureSubscription": pipeline.vault.connection,
        "KeyVaultName": pipeline.vault.name,
        "SecretsFilter": ",".join(names),
        "RunAsPreJob": False,
    }
    return [{"task": "AzureKeyVault@2", "inputs": given}]


def _restored(pipeline: Pipeline, cache: Cache) -> list[Step]:
    """One task for each folder, as one task keeps one."""
    made = []
    for path in cache.paths:
        parts = [f'"{pipeline.module}"', f'"{cache.name}"', f'"{path}"', *cache.keys]
        folder = f"$(Build.SourcesDirectory)/{path.rstrip('/')}"
        made.append({"task": "Cache@2", "inputs": {"key": " | ".join(parts), "path": folder}})
    return made


def _artefact(name: str, position: str) -> str:
    """Every combination of a matrix keeps an artefact of its own name; a dot is in no name of a job."""
    return f"{name}.{position}"


def _downloads(other: Job, one: Job) -> list[Step]:
    may_lack = (other.on is not None and other.on != one.on) or other.allow_failure or one.when != "success"
    missing = {"continueOnError": True} if may_lack else {}
    count = len(other.combinations)
    names = [_artefact(other.name, str(at + 1)) for at in range(count)] if count else [other.name]
    made = []
    for name in names:
        given = {"artifactName": name, "targetPath": "$(Build.SourcesDirectory)"}
        made.append({"task": "DownloadPipelineArtifact@2", "inputs": given} | missing)
    return made


def _kept(one: Job) -> list[Step]:
    steps: list[Step] = []
    if one.artefacts:
        always = {"condition": "succeededOrFailed()"} if one.artefacts.always else {}
        steps += [step | always for step in _artefacts(one, one.artefacts.paths)]
    return steps + (_reports(one, one.reports) if one.reports else [])


def _artefacts(one: Job, paths: tuple[str, ...], what: str = "") -> list[Step]:
    """A folder's name means all that is in it. `what` tells two artefacts of one job apart: with a
    dot, which is in no name of a job.
    """
    patterns = [line for path in paths for line in (path.rstrip("/"), f"{path.rstrip('/')}/**")]
    folder = f"{STAGING}/{what}{one.name}"
    given = {"Contents": block("".join(f"{line}\n" for line in patterns)), "TargetFolder": folder}
    # Counted from one: https://learn.microsoft.com/azure/devops/pipelines/build/variables
    own = f"{what}{one.name}"
    name = _artefact(own, "$(System.JobPositionInPhase)") if one.matrix else own
    return [
        {"task": "CopyFiles@2", "inputs": given},
        {"task": "PublishPipelineArtifact@1", "inputs": {"targetPath": folder, "artifact": name}},
    ]


def _reports(one: Job, reports: Reports) -> list[Step]:
    """Shown by the forge, and kept as files: what it shows cannot be read back as it was written."""
    steps: list[Step] = []
    if reports.junit:
        given = {"testResultsFormat": "JUnit", "testResultsFiles": reports.junit}
        steps.append({"task": "PublishTestResults@2", "condition": "succeededOrFailed()", "inputs": given})
    if reports.cobertura:
        given = {"summaryFileLocation": reports.cobertura}
        steps.append(
            {"task": "PublishCodeCoverageResults@2", "condition": "succeededOrFailed()", "inputs": given}
        )
    paths = tuple(path for path in (reports.junit, reports.cobertura) if path)
    # A job that broke before it wrote its reports has failed for that, not for these steps.
    kept = {"condition": "succeededOrFailed()", "continueOnError": True}
    return steps + [step | kept for step in _artefacts(one, paths, "reports.")]
