r"""A pipeline in words of no forge.

Renderers turn it into the YAML of one CI system; none of them adds a decision.

    name: booking-service
    module: booking-service
    path: services/booking                    # its folder; "." when the repository is the module
    on:
      branches: ["**"]
      changes: true
      tags: ["v*"]
      schedules: [{cron: "0 3 * * 1"}]
      manual: {inputs: {LEVEL: {kind: choice, options: [low, high], default: low}}}
    variables: {MODULE: booking-service}
    jobs:
      - name: test
        stage: test
        needs: [build]
        matrix: {IMAGE: ["python:3.12", "python:3.13"]}
        container: {axis: IMAGE}
        services: [{name: db, image: "postgres:17", variables: {POSTGRES_HOST_AUTH_METHOD: trust}}]
        caches: [{name: wheels, paths: [.wheels], keys: [requirements.txt]}]
        steps: ["python3 -m unittest discover"]
        coverage: 'TOTAL coverage: (\d+)%'
        artefacts: {paths: [out/]}
        timeout: 600
      - name: deploy
        stage: deploy
        secrets: {TOKEN: "@vault:deploy-token"}
        environment: {name: acme-production, approval: true}
        steps: [./deploy]
"""

from bot.pipelines.model.events import Events, Manual, ManualInput, Occasions, Schedule
from bot.pipelines.model.job import Artefacts, Cache, Container, Environment, Identity, Job, Reports, Service
from bot.pipelines.model.pipeline import Pipeline, Vault
from bot.pipelines.model.words import FORGE_TOKEN, STAGES, Stage, store_name, vault_name

__all__ = [
    "FORGE_TOKEN",
    "STAGES",
    "Artefacts",
    "Cache",
    "Container",
    "Environment",
    "Events",
    "Identity",
    "Job",
    "Manual",
    "ManualInput",
    "Occasions",
    "Pipeline",
    "Reports",
    "Schedule",
    "Service",
    "Stage",
    "Vault",
    "store_name",
    "vault_name",
]
