"""What do files of text and of plain markup say?"""
