"""What does this source say, and where?"""

if __name__ != "penstock.loaders":
    raise ImportError("this folder is a part of the package penstock: import penstock.loaders instead")
