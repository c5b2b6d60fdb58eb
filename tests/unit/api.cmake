set(api ${CMAKE_SOURCE_DIR}/tests/unit/api)
um_unit_test(api_schema SOURCES ${api}/test_schema.c LINK um_api INCLUDES ${CMAKE_SOURCE_DIR}/core/api)
