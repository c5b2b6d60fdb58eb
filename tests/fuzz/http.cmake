um_fuzz(http_route SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_http_route.c LINK um_http
        INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/http CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/http_route)
um_fuzz(multipart SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_multipart.c LINK um_http
        CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/multipart)
um_fuzz(proxy_head SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_proxy_head.c LINK um_http
        INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/http CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/proxy_head)
