"""Which pieces, in what order, and why?"""

if __name__ != "penstock.retrievers":
    raise ImportError("this folder is a part of the package penstock: import penstock.retrievers instead")
