"""Preparation of scripts from git: repositories, checkouts and Python environments."""
