"""Thin views of the environments for other libraries."""
