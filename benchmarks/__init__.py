"""Times the train step against PyTorch, and says where its time goes.

make bench                      # or python -m benchmarks: side by side
python -m benchmarks.profile    # one call by kind of operation and by layer
python -m benchmarks.scale      # devices, batch sizes and memory
"""
