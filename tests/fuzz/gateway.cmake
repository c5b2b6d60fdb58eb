um_fuzz(token SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_token.c LINK um_token um_session
  INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/token CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/token)
um_fuzz(proxy SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_proxy.c LINK um_gw_proxy
  CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/proxy)
um_fuzz(session_values SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_session_values.c LINK um_session
  INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/session/redis CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/session_values)
