um_fuzz(collab SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_collab.c LINK um_collab
        CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/collab)
