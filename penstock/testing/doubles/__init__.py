"""What do tests put in the place of models, servers, disks and web sites?"""
