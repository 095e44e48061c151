"""Homes of Scheduling Blocks, each a real one."""
