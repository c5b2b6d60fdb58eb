pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
foreach(part vectors doc alloc value)
  um_unit_test(crdt_${part}
    SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/crdt/test_${part}.c ${CMAKE_SOURCE_DIR}/tests/unit/crdt/support.c
    LINK um_crdt um_base PkgConfig::JANSSON
    INCLUDES ${CMAKE_SOURCE_DIR}/core/crdt)
endforeach()
