um_unit_test(token SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/token/test_token.c LINK um_token
  INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/token)
um_unit_test(password SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/password/test_password.c LINK um_password)
um_unit_test(throttle SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/throttle/test_throttle.c LINK um_token)
um_unit_test(session SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/session/test_session.c LINK um_session um_conf um_process)
um_unit_test(session_parts SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/session/test_session_parts.c LINK um_session
  INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/session ${CMAKE_SOURCE_DIR}/core/lib/session/redis)
um_unit_test(proxy SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/proxy/test_proxy.c LINK um_gw_proxy)
um_unit_test(cores SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/proxy/test_cores.c LINK um_gw_proxy)
um_unit_test(legs SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/proxy/test_legs.c LINK um_gw_proxy)
um_unit_test(gateway SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/gateway/test_gateway.c LINK um_gw_site um_token um_session)
# What only the program as a whole can show: exit statuses, port file.
if(TARGET umbel-gateway)
  add_test(NAME unit.gateway-daemon
    COMMAND python3 -B ${CMAKE_SOURCE_DIR}/tests/unit/gateway/daemon.py $<TARGET_FILE:umbel-gateway>)
  set_tests_properties(unit.gateway-daemon PROPERTIES LABELS unit TIMEOUT 120)
endif()
