"""The code that runs inside the environments; it meets envguard only in a JSON request and JSON-lines events.

Everything here imports by relative paths, runs on Python 3.9 and newer, and may use only what the lock of the
environment that it runs in brings.
"""
