"""What is reported about a run, a collection and its indexes?"""
