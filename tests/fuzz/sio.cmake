um_fuzz(sio_packet SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_sio_packet.c LINK um_gw_sio
  INCLUDES ${CMAKE_SOURCE_DIR}/gui-gateway/sio CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/sio_packet)
um_fuzz(sio_payload SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_sio_payload.c LINK um_gw_sio
  INCLUDES ${CMAKE_SOURCE_DIR}/gui-gateway/sio CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/sio_payload)
