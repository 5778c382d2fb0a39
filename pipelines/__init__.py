"""What happens to a document, to a question?"""

if __name__ != "penstock.pipelines":
    raise ImportError("this folder is a part of the package penstock: import penstock.pipelines instead")
