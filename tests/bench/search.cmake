um_program(bench_search TOOL SOURCES search.c search_fill.c LINK um_domain um_store um_loop um_base PkgConfig::JANSSON)
target_include_directories(bench_search PRIVATE ${CMAKE_SOURCE_DIR}/core/domain)
