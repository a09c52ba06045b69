"""Benchmarks: ``python -m tests.bench [NAME…]`` runs the ``bench_*.py`` here, each in a process of its own."""
