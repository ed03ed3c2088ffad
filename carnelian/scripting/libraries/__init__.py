"""The libraries of scripts: each module's `install(lua, quick)` puts its table among the globals of a LuaRuntime."""
