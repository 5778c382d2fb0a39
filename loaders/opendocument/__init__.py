"""What does an OpenDocument text or presentation say?"""
