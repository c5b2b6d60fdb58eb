um_fuzz(native SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_native.c LINK um_native INCLUDES ${CMAKE_SOURCE_DIR}/core/native
        CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/native)
