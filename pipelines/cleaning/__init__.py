"""What is kept of what a loader read?"""
