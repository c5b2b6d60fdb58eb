um_fuzz(ws_frame SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_ws_frame.c LINK um_ws
        CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/ws_frame)
