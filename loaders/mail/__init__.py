"""What does a mail message say?"""
