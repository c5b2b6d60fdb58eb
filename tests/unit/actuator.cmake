um_unit_test(actuator SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/actuator/test_actuator.c LINK um_actuator um_conf
             INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/actuator)
