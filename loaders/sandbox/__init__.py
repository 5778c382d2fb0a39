"""How is a file parsed where it can do no harm?"""
