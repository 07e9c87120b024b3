"""Times the train step against PyTorch, and says where its time goes.

make bench                          # or python -m benchmarks: side by side
make bench-quick                    # has the step become slower since the last release?
python -m benchmarks.gpu            # all that is to be measured on a GPU
python -m benchmarks.seeds_at_once  # several seeds as one program
python -m benchmarks.threads        # one run on all cores, or one on each
python -m benchmarks.profile        # one call by kind of operation and by layer
python -m benchmarks.scale          # devices, batch sizes, memory, checkpoints
python -m benchmarks.data_path      # the way of the images to the step
"""
