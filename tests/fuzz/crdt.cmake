foreach(target crdt_apply crdt_decode crdt_merge crdt_v2)
  um_fuzz(${target} SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_${target}.c LINK um_crdt um_base
    CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${target})
endforeach()
um_fuzz(crdt_snapshot SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_crdt_snapshot.c LINK um_crdt um_base
  INCLUDES ${CMAKE_SOURCE_DIR}/core/crdt CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/crdt_snapshot)
um_fuzz(crdt_export SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_crdt_export.c LINK um_crdt um_base
  INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/crdt CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/crdt_export)
um_fuzz(crdt_events SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_crdt_events.c LINK um_crdt um_base
  INCLUDES ${CMAKE_SOURCE_DIR}/core/crdt CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/crdt_events)
um_fuzz(crdt_undo SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_crdt_undo.c LINK um_crdt um_base
  CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/crdt_undo)
um_fuzz(crdt_edit SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_crdt_edit.c LINK um_crdt um_base
  INCLUDES ${CMAKE_SOURCE_DIR}/core/crdt CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/crdt_edit)
um_fuzz(crdt_copy SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_crdt_copy.c LINK um_crdt um_base
  INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/crdt CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/crdt_copy)
