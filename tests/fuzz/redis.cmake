um_fuzz(redis_reply SOURCES ${UMBEL_ROOT}/tests/fuzz/fuzz_redis_reply.c LINK um_redis INCLUDES ${UMBEL_ROOT}/core/lib/redis
        CORPUS ${UMBEL_ROOT}/tests/fuzz/corpus/redis_reply)
