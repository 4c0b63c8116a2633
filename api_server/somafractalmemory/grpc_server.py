"""The synchronous gRPC server of the first releases: `python -m somafractalmemory.grpc_server`.

Threads take the calls; the service behind them is the one of every other face. `async_grpc_server` is the faster one.
"""

from somafractalmemory.grpcface.program import program
from somafractalmemory.grpcface.threaded import serving_threads

main = program(serving_threads, about="Run the synchronous gRPC server of SomaFractalMemory.")

if __name__ == "__main__":
    main()
