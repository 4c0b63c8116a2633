"""The Kubernetes API: one connection, the questions and writes of the core over it, watches, and the leader's lease.

Knows `model` and the actions of a plan, and decides nothing.
"""
