um_unit_test(history SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/history/test_history.c
  LINK um_history um_crdt um_base PkgConfig::JANSSON)
