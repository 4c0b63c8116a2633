"""What requests and answers hold, checked for HTTP and gRPC alike; each module has the name of its routes."""
