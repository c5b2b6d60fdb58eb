um_fuzz(reserve_news SOURCES ${UMBEL_ROOT}/tests/fuzz/fuzz_reserve_news.c LINK um_reserve INCLUDES ${UMBEL_ROOT}/core/reserve
        CORPUS ${UMBEL_ROOT}/tests/fuzz/corpus/reserve_news)
