"""gRPC: the same service behind another door. Calls parse, ask the service once, and shape the answer."""
