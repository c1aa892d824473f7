"""The pure heart of the program: settings, systems, telemetry and workloads as plain data.

Nothing in here imports Pulumi or reads the clock, the environment or the network; only `model.load` reads files.
"""
