um_unit_test(cachegen SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/cachegen/test_cachegen.c LINK um_cachegen um_conf um_process
             INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/cachegen)
