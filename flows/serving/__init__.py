"""How do schedules run on a Prefect server?"""
