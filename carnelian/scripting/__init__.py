"""Lua through lupa: scripts, functions and their libraries; and functions in Python.

https://redis.io/docs/latest/develop/interact/programmability/
"""

from carnelian.scripting.declaration import function
