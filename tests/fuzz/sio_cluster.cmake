um_fuzz(sio_msgpack SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_sio_msgpack.c LINK um_gw_sio_cluster
        INCLUDES ${CMAKE_SOURCE_DIR}/gui-gateway/sio/cluster CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/sio_msgpack)
um_fuzz(sio_adapter SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_sio_adapter.c LINK um_gw_sio_cluster
        INCLUDES ${CMAKE_SOURCE_DIR}/gui-gateway/sio/cluster CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/sio_adapter)
