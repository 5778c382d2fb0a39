"""When, how often, and on which machines? Prefect flows around the same pipeline; thin, and without classes."""

if __name__ != "penstock.flows":
    raise ImportError("this folder is a part of the package penstock: import penstock.flows instead")
