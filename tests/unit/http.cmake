um_unit_test(http_parts SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/http/test_http_parts.c
             LINK um_http INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/http)
um_unit_test(http SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/http/test_http_guard.c
             ${CMAKE_SOURCE_DIR}/tests/unit/http/test_http_flow.c ${CMAKE_SOURCE_DIR}/tests/unit/http/test_http_upgrade.c
             ${CMAKE_SOURCE_DIR}/tests/unit/http/test_http_main.c ${CMAKE_SOURCE_DIR}/tests/unit/http/http_bench.c
             LINK um_http um_ws)
um_unit_test(multipart SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/http/test_multipart.c LINK um_http)
um_unit_test(http_file SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/http/test_http_file.c LINK um_http)
um_unit_test(http_front SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/http/test_http_front.c ${CMAKE_SOURCE_DIR}/tests/unit/http/http_bench.c
             LINK um_http INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/http)
