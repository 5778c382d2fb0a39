"""What does a process give up before it opens a file of somebody else's making?"""
