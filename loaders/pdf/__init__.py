"""What does a PDF say?"""
