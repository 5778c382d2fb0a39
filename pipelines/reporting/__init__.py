"""What is said of a run, of a collection, of its indexes?"""
