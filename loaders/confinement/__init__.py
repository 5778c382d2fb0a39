"""What does a process give up before it opens a file made by a stranger?"""
