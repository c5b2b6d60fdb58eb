um_program(bench_jobs TOOL SOURCES jobs.c LINK um_jobs um_redis um_store um_metrics um_loop um_base)
target_include_directories(bench_jobs PRIVATE ${CMAKE_SOURCE_DIR}/tests/harness)
