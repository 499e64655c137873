"""Durable execution: drains, effects, timers, schedules, takeover.

`bot.engine.runtime.Runtime` is the way in.
"""
