"""What reaches the screen, and how?"""
