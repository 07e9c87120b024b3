"""What it runs on: devices, processes, memory, and the compiler."""
