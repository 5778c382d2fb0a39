"""When, how often, and on which machines?"""

if __name__ != "penstock.flows":
    raise ImportError("this folder is a part of the package penstock: import penstock.flows instead")
