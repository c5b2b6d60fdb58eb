um_fuzz(cachegen SOURCES ${UMBEL_ROOT}/tests/fuzz/fuzz_cachegen.c LINK um_cachegen INCLUDES ${UMBEL_ROOT}/core/lib/cachegen
        CORPUS ${UMBEL_ROOT}/tests/fuzz/corpus/cachegen)
