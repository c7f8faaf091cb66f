"""Checks and measures CUDA beside the CPU (`check.sh`)."""
