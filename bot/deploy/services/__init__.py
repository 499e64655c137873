"""What strategy `process` is made of: places on disk, ports, releases, detached services, probes."""
