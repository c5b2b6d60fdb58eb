pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
set(collab ${CMAKE_SOURCE_DIR}/tests/unit/collab)
um_unit_test(collab_message SOURCES ${collab}/test_message.c LINK um_collab PkgConfig::JANSSON
             INCLUDES ${CMAKE_SOURCE_DIR}/core/collab)
um_unit_test(collab_presence SOURCES ${collab}/test_presence.c LINK um_collab PkgConfig::JANSSON
             INCLUDES ${CMAKE_SOURCE_DIR}/core/collab)
