um_program(bench_crdt TOOL SOURCES crdt_bench.c crdt_edits.c crdt_hostile.c crdt_many.c LINK um_crdt um_base)
