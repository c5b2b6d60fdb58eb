set(api ${CMAKE_SOURCE_DIR}/tests/unit/api)
um_unit_test(api_schema SOURCES ${api}/test_schema.c LINK um_api INCLUDES ${CMAKE_SOURCE_DIR}/core/api)
um_unit_test(api SOURCES ${api}/test_rows.c ${api}/test_requests.c ${api}/test_main.c ${CMAKE_SOURCE_DIR}/tests/unit/http/http_bench.c
             LINK um_api um_ws INCLUDES ${CMAKE_SOURCE_DIR}/core/api ${CMAKE_SOURCE_DIR}/tests/unit/http)
