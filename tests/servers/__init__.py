"""Real servers for tests and benchmarks, on loopback, without a container engine."""
