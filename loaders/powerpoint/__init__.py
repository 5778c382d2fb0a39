"""What does a PowerPoint deck say?"""
