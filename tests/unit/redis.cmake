set(redis_tests ${CMAKE_SOURCE_DIR}/tests/unit/redis)
um_unit_test(redis_parts SOURCES ${redis_tests}/test_redis_parts.c
             LINK um_redis um_conf INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/redis)
um_unit_test(redis SOURCES ${redis_tests}/test_redis.c ${redis_tests}/fake_redis.c
             LINK um_redis um_conf um_process INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/redis)
