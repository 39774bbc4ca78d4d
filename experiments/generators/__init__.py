"""Does a detector hold on a generator it has never seen?"""
