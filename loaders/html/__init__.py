"""What does a web page or an e-book say?"""
