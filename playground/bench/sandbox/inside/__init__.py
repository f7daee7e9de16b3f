"""What runs inside a sandbox, beside the untrusted program: sent there as text, so it imports the standard library only.

Works with every Python from 3.8 on. Nothing here ever sees an expected value, and nothing here is trusted afterwards:
the program shares the process. The sandbox's walls and the judge outside are what counts.
"""
