"""Do catalog and indexes agree after a death at any moment? `python -m benchmarks.faults --kills 3000`.

A child process works on a small collection and kills itself (SIGKILL) at a named moment, or is killed at a random one.
Another child opens what is left and looks whether everything holds that a user relies on.
"""
