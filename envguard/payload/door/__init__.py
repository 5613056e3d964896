"""What crosses between the house and its payload, by subject; everybody outside imports it from `contract`.

Standard library only, and Python 3.9: it runs on both sides. Hints are written as `Optional` and `Union`, because they
are read at run time.
"""
