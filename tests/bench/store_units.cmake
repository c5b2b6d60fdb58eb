um_program(bench_store_units TOOL SOURCES store_units.c LINK um_store um_loop um_base)
