"""How is it found again?"""

if __name__ != "penstock.indexers":
    raise ImportError("this folder is a part of the package penstock: import penstock.indexers instead")
