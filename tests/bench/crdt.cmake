um_program(bench_crdt TOOL SOURCES crdt_bench.c LINK um_crdt um_base)
