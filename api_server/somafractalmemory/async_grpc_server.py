"""The gRPC server alone, on the same settings as `soma serve`: `python -m somafractalmemory.async_grpc_server`."""

from somafractalmemory.grpcface.program import program
from somafractalmemory.grpcface.server import serving_grpc

main = program(serving_grpc, about="Run the asynchronous gRPC server of SomaFractalMemory.")

if __name__ == "__main__":
    main()
