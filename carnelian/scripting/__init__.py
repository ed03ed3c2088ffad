"""Lua scripts: https://redis.io/docs/latest/develop/interact/programmability/eval-intro/"""
