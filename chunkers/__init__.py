"""What is one answerable piece?"""

if __name__ != "penstock.chunkers":
    raise ImportError("this folder is a part of the package penstock: import penstock.chunkers instead")

from penstock.chunkers.drafts import chunks_of

__all__ = ["chunks_of"]
