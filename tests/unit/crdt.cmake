pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
foreach(part
    alloc
    cold
    copy
    decode
    doc
    edit
    export
    events
    inspect
    malformed
    posindex
    read
    relpos
    snapshot
    threads
    typing
    v2
    undo
    value
    vectors
    vectors_v2
  )
  um_unit_test(crdt_${part}
    SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/crdt/test_${part}.c ${CMAKE_SOURCE_DIR}/tests/unit/crdt/support.c
    LINK um_crdt um_base PkgConfig::JANSSON
    INCLUDES ${CMAKE_SOURCE_DIR}/core/crdt)
endforeach()
foreach(part edit history)
  um_unit_test(crdt_vectors_${part}
    SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/crdt/vectors_${part}.c ${CMAKE_SOURCE_DIR}/tests/unit/crdt/support.c
    LINK um_crdt um_base PkgConfig::JANSSON
    INCLUDES ${CMAKE_SOURCE_DIR}/core/crdt)
endforeach()
target_link_options(test_crdt_value PRIVATE -Wl,--wrap=malloc)
foreach(part decode malformed value)
  target_link_options(test_crdt_${part} PRIVATE -Wl,--wrap=realloc)       # memory that runs out, in buffers too
endforeach()
