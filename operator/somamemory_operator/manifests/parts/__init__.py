"""What the objects of several components share: metadata, pods, workloads, Jobs, Secrets, policies."""
