um_program(bench_jobs TOOL SOURCES jobs.c LINK um_jobs um_store um_metrics um_loop um_base)
