"""What do files that hold other files contain?"""
