um_unit_test(ask SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/ask/test_ask.c LINK um_ask um_conf um_process
             INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/ask)
