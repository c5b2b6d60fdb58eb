um_unit_test(token SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/token/test_token.c LINK um_token
  INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/token)
um_unit_test(throttle SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/throttle/test_throttle.c LINK um_token)
um_unit_test(session SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/session/test_session.c LINK um_session)
