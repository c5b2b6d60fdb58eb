um_fuzz(properties SOURCES ${UMBEL_ROOT}/tests/fuzz/fuzz_properties.c LINK um_conf INCLUDES ${UMBEL_ROOT}/core/lib/conf
        CORPUS ${UMBEL_ROOT}/tests/fuzz/corpus/properties)
