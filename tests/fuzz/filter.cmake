um_fuzz(filter SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_filter.c LINK um_domain
        INCLUDES ${CMAKE_SOURCE_DIR}/core/domain CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/filter)
um_fuzz(rules SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_rules.c LINK um_domain
        INCLUDES ${CMAKE_SOURCE_DIR}/core/domain CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/rules)
