um_program(bench_sioload TOOL SOURCES sioload.c LINK um_base)
