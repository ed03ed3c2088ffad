"""Lua through lupa: scripts, functions and their libraries."""
