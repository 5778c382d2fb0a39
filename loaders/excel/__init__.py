"""What does a workbook say?"""
