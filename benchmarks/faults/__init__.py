"""Do catalog and indexes agree after a kill at any moment? `python -m benchmarks.faults --kills 3000`.

A child process works on a small collection and kills itself (SIGKILL) at a named moment, or is killed at a random time.
Another child opens what is left and checks everything that a user relies on.
"""
