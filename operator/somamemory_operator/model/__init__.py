"""The vocabulary of the core: what is there, what should be, why it stands as it does. Data, and questions about it.

Imports nothing else of the operator.
"""
