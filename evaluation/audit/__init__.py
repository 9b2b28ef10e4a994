"""Audits of recipes and tables: whether they are worth explaining, and what gives the truth away."""
