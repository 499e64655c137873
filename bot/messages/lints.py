"""What is wrong with a pipeline file, and the fix. Each gives the fault and what to do about it."""

from __future__ import annotations

Said = tuple[str, str]


def not_yaml(why: str) -> Said:
    return f"it can not be read: {why}", "mend the YAML"


def no_job(system: str) -> Said:
    return f"{system} would find no job in it", "add a job, or delete the file"


def no_tests() -> Said:
    return "no job tests anything", "add a job to the stage test, or name one after what it checks"


def action_unpinned(uses: str) -> Said:
    name = uses.partition("@")[0]
    return f"`{uses}` can be moved to other code", f"name the commit: `{name}@<40 digits> # <version>`"


def action_unpinned_known(uses: str, pinned: str) -> Said:
    return f"`{uses}` can be moved to other code", f"write `{pinned}`"


def image_unpinned(image: str) -> Said:
    return f"the image `{image}` names no version", "add a tag, or better a digest"


def secret_in_plain_text(kind: str) -> Said:
    return (
        f"this looks like a secret: {kind}",
        "revoke it, keep the new one in the vault, and refer to it by name",
    )


def secret_as_variable(name: str, how: str) -> Said:
    return f"the variable {name} holds its value in plain text", f"keep it in the vault and write `{how}`"


def deploys_without_gate(job: str, how: str) -> Said:
    return f"{job} deploys, and nothing has to agree", how


def expression_in_command(expression: str) -> Said:
    return (
        f"`{expression}` is put into a command, and whoever names a branch or a title can write commands there",
        "hand it over in `env` and use the variable, quoted",
    )
