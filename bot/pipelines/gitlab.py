"""Which files GitLab reads for a module, and what becomes of those that are there.

A repository that is one module has one file. Of several modules each has a file of its own, which no other
module's change touches; the root file includes them all and is the same text for every module, so that two
changes that both bring it do not conflict. A root file that a person has written stays theirs: our include is
put into it.
"""

from __future__ import annotations

from bot.messages import pipelines as say
from bot.pipelines import gitlab_ci, gitlab_root
from bot.pipelines.model import Pipeline
from bot.pipelines.text import OURS
from bot.pipelines.written import CannotWrite, There, Written


def reads(pipeline: Pipeline) -> tuple[str, ...]:
    """The files that `written` must see."""
    return (gitlab_ci.FILE, gitlab_ci.file_of(pipeline))


def written(pipeline: Pipeline, there: There) -> Written:
    """The files of this module. Raises CannotWrite."""
    root, own = there.get(gitlab_ci.FILE), gitlab_ci.file_of(pipeline)
    if not pipeline.in_a_folder and gitlab_root.alone(root):
        names = {job.name: job.name for job in pipeline.jobs}
        said = gitlab_ci.notes(pipeline, alone=True)
        return Written(gitlab_ci.FILE, {gitlab_ci.FILE: gitlab_ci.render(pipeline)}, names, said)
    mine = there.get(own)
    if mine is not None and not mine.startswith(OURS):
        raise CannotWrite(say.file_in_the_way(own))
    text, notes = gitlab_root.with_modules(root, pipeline)
    names = {job.name: gitlab_ci.job_name(pipeline, job) for job in pipeline.jobs}
    files = {gitlab_ci.FILE: text, own: gitlab_ci.render_module(pipeline)}
    return Written(own, files, names, (*notes, *gitlab_ci.notes(pipeline, alone=False)))
