set(outgoing ${CMAKE_SOURCE_DIR}/tests/unit/outgoing)
um_unit_test(outgoing_guard SOURCES ${outgoing}/test_outgoing_guard.c LINK um_outgoing INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/outgoing)
um_unit_test(outgoing SOURCES ${outgoing}/test_outgoing.c ${outgoing}/server.c ${outgoing}/names.c ${outgoing}/server_tls.c LINK um_outgoing PkgConfig::SSL PkgConfig::ZLIB INCLUDES ${outgoing})
