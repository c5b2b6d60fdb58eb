um_program(bench_httpload TOOL SOURCES httpload.c)
