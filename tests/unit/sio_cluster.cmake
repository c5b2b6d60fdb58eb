um_unit_test(sio_wire SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/sio_cluster/test_sio_wire.c LINK um_gw_sio_cluster PkgConfig::JANSSON
  INCLUDES ${CMAKE_SOURCE_DIR}/gui-gateway/sio/cluster)
