um_fuzz(history SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_history.c LINK um_history um_crdt um_base PkgConfig::JANSSON
  INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/crdt CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/history)
