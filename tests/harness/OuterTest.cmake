# um_outer_test(<suite>.<name> <program under tests/<suite>> [arguments...] [TIMEOUT s] [ENV k=v...] [SERIAL])
# A Node program against the built binaries. Servers take free ports, so tests may run side by side; SERIAL is for
# those that need the machine's two processors for themselves.
function(um_outer_test name program)
  cmake_parse_arguments(A "SERIAL" "TIMEOUT" "ENV" ${ARGN})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 300)
  endif()
  set(patience 1)
  if(NOT UMBEL_SANITIZE STREQUAL "none")
    set(patience 3)
    math(EXPR A_TIMEOUT "${A_TIMEOUT} * 2")
  endif()
  string(REGEX REPLACE "\\..*" "" suite ${name})
  add_test(NAME ${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/harness/node
    ${CMAKE_CURRENT_SOURCE_DIR}/${program} ${A_UNPARSED_ARGUMENTS})
  set_tests_properties(${name} PROPERTIES LABELS ${suite} TIMEOUT ${A_TIMEOUT}
    ENVIRONMENT "UMBEL_BUILD=${CMAKE_BINARY_DIR};UMBEL_BIN=${CMAKE_BINARY_DIR}/bin;UMBEL_PATIENCE=${patience};${A_ENV}")
  if(A_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()
