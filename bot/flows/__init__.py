"""Orchestration flows: YAML statecharts and the pure function that moves a trace along them."""
