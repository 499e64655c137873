"""The JSON API under `/v1` and what lies beside it (`/healthz`, `/readyz`).

The application is put together in `bot.app`; this room offers `bot.api.routes.router(services)` and
`bot.api.problems.install(app)`.
"""
