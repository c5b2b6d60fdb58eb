um_fuzz(api_schema SOURCES ${UMBEL_ROOT}/tests/fuzz/fuzz_api_schema.c LINK um_api INCLUDES ${UMBEL_ROOT}/core/api
        CORPUS ${UMBEL_ROOT}/tests/fuzz/corpus/api_schema)
