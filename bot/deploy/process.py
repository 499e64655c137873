"""Strategy `process`: the built service runs as a detached process, one per module and namespace.

Recreate: stop the old one, start the new one, probe it. A service outlives its worker; whoever comes next
adopts it by process number and start time. `status(home)` and `stop_all(home)` are for people and demos.
"""

from __future__ import annotations

from bot.deploy.port import Tools, authorised
from bot.deploy.services import exports, halt, ports, reasons, records
from bot.deploy.services.census import ServiceStatus, status, stop_all
from bot.deploy.services.places import Place
from bot.deploy.services.run import Run, end
from bot.deploy.services.vault import REFERENCE, resolve
from bot.domain.effect import Health, Provision, Provisioned, Target
from bot.domain.performer import EffectContext

__all__ = ["STRATEGY", "ProcessStrategy", "ServiceStatus", "status", "stop_all"]


class ProcessStrategy:
    """See the module. `grace_s` is how long a service may take to stop by itself."""

    name = "process"

    def __init__(self, tools: Tools, grace_s: float = halt.GRACE_S) -> None:
        self.tools = tools
        self.grace_s = grace_s

    def provision(self, wanted: Provision, context: EffectContext) -> Provisioned:
        scope = authorised(wanted, context)
        place = self._place(wanted)
        port = ports.claim(place, scope, self.name, wanted.edition_id)["port"]
        home = self.tools.home
        return Provisioned(
            namespace=place.namespace,
            endpoint=ports.url(port),
            resources=(
                {
                    "type": "namespace",
                    "name": place.namespace,
                    "path": f"{place.folder.parent.relative_to(home)}",
                },
                {
                    "type": "configuration",
                    "name": place.module_id,
                    "path": f"{place.config.relative_to(home)}",
                },
                {"type": "port", "name": place.module_id, "host": ports.HOST, "port": port},
            ),
            dns=(
                {"host": f"{place.module_id}.{place.namespace}.localhost", "target": f"{ports.HOST}:{port}"},
            ),
            secrets={name: f"{REFERENCE}{name}" for name in self.tools.vault.names(scope)},
        )

    def plan(self, target: Target, context: EffectContext) -> tuple[str, ...]:
        authorised(target, context)
        place = self._place(target)
        found = records.read(place)
        running = found if records.alive(found) else None
        if running is not None and running.release_id == target.release_id:
            return (reasons.plan_probe(target, running.url),)
        return reasons.plan_recreate(target, running, exported=exports.folder(place, target).is_dir())

    def apply(self, target: Target, context: EffectContext) -> Health:
        authorised(target, context)
        place = self._place(target)
        with place.lock():
            records.remember_trace(place, target.release_id, context.trace_id)
            return self._bring(target, context)

    def _bring(self, target: Target, context: EffectContext) -> Health:
        run = self._run(target, context)
        place, running = run.place, records.read(run.place)
        # One that was probed and found unhealthy is not worth another look: this is the retry.
        if running and running.release_id == target.release_id and running.healthy is not False:
            health = run.adopt(running)
            if health is not None:
                return health
        claimed = ports.claim(place, authorised(target, context), self.name)
        folder = exports.export(place, target, self.tools.exporter(target.forge))
        health = run.recreate(folder, claimed)
        exports.prune(place, folder)
        return health

    def probe(self, target: Target, context: EffectContext) -> Health:
        run = self._run(target, context)
        running = records.read(run.place)
        if running is None or running.release_id != target.release_id or not records.alive(running):
            return Health(healthy=False, reason=reasons.not_running(target))
        return run.look(running)

    def undo(self, release: Target | None, failed: Target, context: EffectContext) -> Health:
        authorised(failed, context)
        place = self._place(failed)
        with place.lock():
            if release is not None:
                return self._bring(release, context)
            running = records.read(place)
            if running is not None and running.release_id == failed.release_id:
                end(place, running, self.grace_s)
        return Health(healthy=False, reason=reasons.stopped(failed))

    def _place(self, wanted: Provision | Target) -> Place:
        return Place(self.tools.home, wanted.namespace, wanted.module_id)

    def _run(self, target: Target, context: EffectContext) -> Run:
        scope = authorised(target, context)
        settings, hidden = resolve(target.service.environment, scope, self.tools.vault)
        place = self._place(target)
        trace_id = records.trace_of(place, target.release_id) or context.trace_id
        return Run(place, target, trace_id, settings, hidden, self.grace_s)


STRATEGY = ProcessStrategy
