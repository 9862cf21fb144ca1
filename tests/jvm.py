"""How the tests' JVMs are started."""

#: For short runs: compile fast, with room for all that is compiled so.
COMPILE_FAST = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"
