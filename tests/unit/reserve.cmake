set(reserve ${CMAKE_SOURCE_DIR}/tests/unit/reserve)
um_unit_test(reserve SOURCES ${reserve}/test_reserve.c LINK um_reserve)
um_unit_test(reserve_copy SOURCES ${reserve}/test_copy.c LINK um_reserve INCLUDES ${CMAKE_SOURCE_DIR}/core/reserve)
