um_program(bench_relay TOOL SOURCES relay.c)
um_program(bench_awake TOOL SOURCES awake.c LINK Threads::Threads)
