set(sio ${CMAKE_SOURCE_DIR}/tests/unit/sio)
um_unit_test(sio_packet SOURCES ${sio}/test_sio_packet.c LINK um_gw_sio PkgConfig::JANSSON INCLUDES ${CMAKE_SOURCE_DIR}/gui-gateway/sio)
