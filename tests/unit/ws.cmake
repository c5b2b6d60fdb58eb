um_unit_test(ws_frame SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/ws/test_ws_frame.c
             LINK um_ws INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/ws)
um_unit_test(ws SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/ws/test_ws.c ${CMAKE_SOURCE_DIR}/tests/unit/ws/test_ws_queue.c
             ${CMAKE_SOURCE_DIR}/tests/unit/ws/test_ws_main.c ${CMAKE_SOURCE_DIR}/tests/unit/ws/test_ws_move.c ${CMAKE_SOURCE_DIR}/tests/unit/ws/ws_bench.c
             LINK um_ws INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/ws)
