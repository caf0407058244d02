"""The documentation, and what draws its figures and writes its tables from the code."""
