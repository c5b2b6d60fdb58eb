um_fuzz(archive SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_archive.c
        CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/archive LINK um_archive
        INCLUDES ${CMAKE_SOURCE_DIR}/core/archive ${CMAKE_SOURCE_DIR}/core/archive/s3)
