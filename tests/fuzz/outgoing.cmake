um_fuzz(outgoing_url SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_outgoing_url.c LINK um_outgoing
        INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/outgoing CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/outgoing_url)
